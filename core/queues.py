"""The queues in which the state machine leaves images: messages for review, and messages of failures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from core.errors import MessagesNotDeleted
from core.json_objects import parse_json_object
from core.s3_uris import S3Uri

VISIBILITY_TIMEOUT_SECONDS = 600
_BATCH = 10  # the most messages in one SQS request
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


@dataclass(frozen=True)
class Message:
    """A message about one execution, ``sent`` at seconds since 1970.

    ``receipt`` is None for a message that is not received any more. ``unreadable`` is the beginning of a text that is
    not a JSON object; ``body`` is empty then.
    """

    message_id: str
    receipt: str | None
    body: dict[str, Any]
    sent: float = 0.0
    unreadable: str = ""

    @property
    def execution_arn(self) -> str:
        """The ARN of the execution that sent the message, empty if it names none."""
        return str(self.body.get("execution_arn", ""))

    @property
    def execution(self) -> str:
        """The execution's ARN, or the message's ID if it names none."""
        return str(self.body.get("execution_arn") or self.message_id)

    @property
    def error(self) -> str:
        """The name of the error with which the execution ended."""
        return str(self.body.get("error", ""))

    @property
    def image(self) -> S3Uri | None:
        """The image to be reviewed, or None if the message names none."""
        bucket, key = self.body.get("s3_bucket"), self.body.get("s3_key")
        return S3Uri(bucket, key) if isinstance(bucket, str) and isinstance(key, str) else None

    @property
    def inferences(self) -> tuple[float, ...]:
        """The two probabilities, empty if the message has none."""
        values = self.body.get("inferences")
        numbers = values if isinstance(values, list) else []
        return tuple(value for value in numbers if isinstance(value, int | float) and 0 <= value <= 1)

    @property
    def probably_neither(self) -> bool:
        """Whether the model takes the image for one of neither label; false where it does not say."""
        return self.body.get("probably_neither") is True


def length(sqs: Any, queue_url: str) -> int:
    """Return about how many messages a queue has, including those in flight and delayed ones."""
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_COUNTS))["Attributes"]
    return sum(int(attributes[name]) for name in _COUNTS)


def receive(
    sqs: Any, queue_url: str, *, visibility_timeout: int = VISIBILITY_TIMEOUT_SECONDS, wait_seconds: int = 1
) -> Iterator[Message]:
    """Yield each message of the queue once; it is invisible to others until it is released or the timeout ends."""
    seen: set[str] = set()
    while True:
        messages = receive_some(sqs, queue_url, _BATCH, visibility_timeout, wait_seconds)
        new = [message for message in messages if message.message_id not in seen]
        if not new:
            return
        for message in new:
            seen.add(message.message_id)
            yield message


def receive_some(sqs: Any, queue_url: str, count: int, visibility_timeout: int, wait_seconds: int) -> list[Message]:
    """Return up to ``count`` messages, at most ten; ``wait_seconds`` makes it a long poll, which asks all servers."""
    response = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=count,
        VisibilityTimeout=visibility_timeout,
        WaitTimeSeconds=wait_seconds,
        MessageSystemAttributeNames=["SentTimestamp"],
    )
    return [_message(received) for received in response.get("Messages", [])]


def set_visibility(sqs: Any, queue_url: str, messages: Iterable[Message], seconds: int) -> None:
    """Keep messages invisible for ``seconds`` from now; 0 makes them visible. One that was deleted is ignored."""
    for entries in _entries(messages):
        timed = [entry | {"VisibilityTimeout": seconds} for entry in entries]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=timed)


def release(sqs: Any, queue_url: str, messages: Iterable[Message]) -> None:
    """Make messages visible again."""
    set_visibility(sqs, queue_url, messages, 0)


def delete(sqs: Any, queue_url: str, messages: Iterable[Message]) -> None:
    """Delete messages. Raises MessagesNotDeleted if SQS refuses to delete one, which becomes visible again."""
    for entries in _entries(messages):
        refused = sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        if refused:
            raise MessagesNotDeleted(len(refused), str(refused[0].get("Message") or refused[0]["Code"]))


def _message(received: dict[str, Any]) -> Message:
    text, body = received["Body"], parse_json_object(received["Body"])
    sent = int(received.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
    return Message(received["MessageId"], received["ReceiptHandle"], body, sent, "" if body else text[:500])


def _entries(messages: Iterable[Message]) -> Iterator[list[dict[str, Any]]]:
    received = (message for message in messages if message.receipt)
    while batch := list(islice(received, _BATCH)):
        yield [{"Id": str(number), "ReceiptHandle": message.receipt} for number, message in enumerate(batch)]

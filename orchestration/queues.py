"""Reads the review and the failure queue, and restarts failed executions, each message exactly once."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.json_objects import parse_json_object
from orchestration import history
from orchestration.errors import ExecutionNotFound, HistoryUnavailable, MessagesNotDeleted
from orchestration.executions import S3Image

VISIBILITY_TIMEOUT_SECONDS = 600
_BATCH = 10  # the most messages in one SQS request


@dataclass(frozen=True)
class Message:
    """A message of a state machine; ``body`` is empty if the message is not a JSON object."""

    message_id: str
    receipt_handle: str
    body: dict[str, Any]

    @property
    def execution_arn(self) -> str:
        """The ARN of the execution that sent the message."""
        return str(self.body.get("execution_arn", ""))

    @property
    def error(self) -> str:
        """The name of the error with which the execution ended."""
        return str(self.body.get("error", ""))

    @property
    def image(self) -> S3Image | None:
        """The image to be reviewed, or None if the message names none."""
        bucket, key = self.body.get("s3_bucket"), self.body.get("s3_key")
        return S3Image(bucket, key) if isinstance(bucket, str) and isinstance(key, str) else None


@dataclass(frozen=True)
class Redriven:
    """What was done with the failure queue's messages.

    ``started`` are the ARNs of the executions that were started. The other members count messages: ``already_started``
    those whose execution an earlier, interrupted call had started; ``failed_again`` those of executions in ``started``
    that failed again in the meantime; ``remaining`` those that stay in the queue, because they have another error or no
    input.
    """

    started: tuple[str, ...]
    already_started: int
    failed_again: int
    remaining: int


def length(sqs: Any, queue_url: str) -> int:
    """Return the number of messages in a queue, including those in flight; SQS counts approximately."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def receive(
    sqs: Any, queue_url: str, *, visibility_timeout: int = VISIBILITY_TIMEOUT_SECONDS, wait_seconds: int = 1
) -> Iterator[Message]:
    """Yield each message of the queue once; it is invisible to others until it is released or the timeout ends.

    ``wait_seconds`` makes it a long poll, which asks all of SQS's servers.
    """
    seen: set[str] = set()
    while True:
        response = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=visibility_timeout,
            WaitTimeSeconds=wait_seconds,
        )
        new = [message for message in response.get("Messages", []) if message["MessageId"] not in seen]
        if not new:
            return
        for message in new:
            seen.add(message["MessageId"])
            yield Message(message["MessageId"], message["ReceiptHandle"], parse_json_object(message["Body"]))


def release(sqs: Any, queue_url: str, messages: Iterable[Message]) -> None:
    """Make messages visible again."""
    for entries in _entries(messages):
        visible = [entry | {"VisibilityTimeout": 0} for entry in entries]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=visible)


def delete(sqs: Any, queue_url: str, messages: Iterable[Message]) -> None:
    """Delete messages. Raises MessagesNotDeleted if SQS refuses to delete one, which becomes visible again."""
    for entries in _entries(messages):
        refused = sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        if refused:
            raise MessagesNotDeleted(len(refused), str(refused[0].get("Message") or refused[0]["Code"]))


def redrive(
    sqs: Any,
    stepfunctions: Any,
    queue_url: str,
    state_machine_arn: str,
    *,
    errors: Collection[str] = (),
    executions: Collection[str] = (),
) -> Redriven:
    """Restart each failed execution in the queue; with ``errors`` or ``executions``, only those.

    A message is deleted after its execution has started. The new execution's name derives from the failed one, and Step
    Functions refuses a second execution of that name, so a call that was interrupted in between can be repeated. An
    Express workflow does not refuse it and may run twice. Executions that fail again stay in the queue.
    """
    started: dict[str, None] = {}
    already_started = failed_again = 0
    kept: list[Message] = []
    try:
        for message in receive(sqs, queue_url):
            payload = _input(stepfunctions, message)
            is_new_failure = message.execution_arn in started
            failed_again += is_new_failure
            is_selected = (not errors or message.error in errors) and (
                not executions or message.execution_arn in executions
            )
            if is_new_failure or not is_selected or payload is None:
                kept.append(message)
                continue
            arn = _start(stepfunctions, state_machine_arn, redrive_name(message.execution_arn, payload), payload)
            if arn is None or arn in started:
                already_started += 1
            else:
                started[arn] = None
            delete(sqs, queue_url, [message])
    finally:
        release(sqs, queue_url, kept)
    return Redriven(tuple(started), already_started, failed_again, len(kept) - failed_again)


def count_errors(sqs: Any, queue_url: str) -> Counter[str]:
    """Count the failure queue's messages by the error's name; they stay in the queue."""
    counts: Counter[str] = Counter()
    messages: list[Message] = []
    try:
        for message in receive(sqs, queue_url):
            messages.append(message)
            counts[message.error or "unnamed"] += 1
    finally:
        release(sqs, queue_url, messages)
    return counts


def redrive_name(execution_arn: str, payload: str) -> str:
    """Return the name of a failed execution's restart: the same for the same failure."""
    return f"redrive-{hashlib.sha256(f'{execution_arn} {payload}'.encode()).hexdigest()[:40]}"


def _start(stepfunctions: Any, state_machine_arn: str, name: str, payload: str) -> str | None:
    """Start an execution and return its ARN, or None if an execution of that name exists."""
    try:
        response = stepfunctions.start_execution(stateMachineArn=state_machine_arn, name=name, input=payload)
    except ClientError as error:
        if error_code(error) == "ExecutionAlreadyExists":
            return None
        raise
    return str(response["executionArn"])


def _input(stepfunctions: Any, message: Message) -> str | None:
    """Return the failed execution's input: the message's, or the execution's if it was too large for a message."""
    if "input" in message.body:
        return json.dumps(message.body["input"], sort_keys=True)
    if not message.execution_arn:
        return None
    try:
        return history.describe(stepfunctions, message.execution_arn).input
    except (ExecutionNotFound, HistoryUnavailable):
        return None


def _entries(messages: Iterable[Message]) -> Iterator[list[dict[str, Any]]]:
    remaining = iter(messages)
    while batch := list(islice(remaining, _BATCH)):
        yield [{"Id": str(n), "ReceiptHandle": message.receipt_handle} for n, message in enumerate(batch)]


def messages_by_image(messages: Sequence[Message]) -> dict[S3Image, list[Message]]:
    """Return the messages by the image to be reviewed, without those that name none."""
    by_image: dict[S3Image, list[Message]] = {}
    for message in messages:
        if message.image is not None:
            by_image.setdefault(message.image, []).append(message)
    return by_image

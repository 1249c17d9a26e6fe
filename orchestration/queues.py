"""Reads the review queue and the failure queue, and starts anew what failed, without losing or doubling a message."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from orchestration import history
from orchestration.errors import ExecutionUnknown, HistoryUnavailable, MessagesKept
from orchestration.executions import Image

HOLD_SECONDS = 600
_BATCH = 10  # as many as SQS takes or gives at once


@dataclass(frozen=True)
class Message:
    """A message as a state machine sent it; ``body`` is empty where it is no JSON object, which none of ours is."""

    message_id: str
    receipt_handle: str
    body: dict[str, Any]

    @property
    def execution_arn(self) -> str:
        """The execution that sent it."""
        return str(self.body.get("execution_arn", ""))

    @property
    def error(self) -> str:
        """The name of the error that it ended with."""
        return str(self.body.get("error", ""))

    @property
    def image(self) -> Image | None:
        """The image that a review is asked for; None where the message names none."""
        bucket, key = self.body.get("s3_bucket"), self.body.get("s3_key")
        return Image(bucket, key) if isinstance(bucket, str) and isinstance(key, str) else None


@dataclass(frozen=True)
class Redriven:
    """What became of the failure queue's messages.

    ``started`` are the ARNs of the executions that run anew; ``already`` had been started by an earlier call that did
    not come to delete their messages; ``failed_again`` of the new ones are back in the queue already; ``left`` stay in
    it: of another error than asked for, or without an input to start with.
    """

    started: tuple[str, ...]
    already: int
    failed_again: int
    left: int


def receive(sqs: Any, queue_url: str, *, hold: int = HOLD_SECONDS, wait: int = 1) -> Iterator[Message]:
    """Yield each message of the queue once; nobody else sees it for ``hold`` seconds, or until it is released.

    ``wait`` is how many seconds an empty queue is given, so that all of SQS's servers are asked.
    """
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=hold, WaitTimeSeconds=wait
        )
        new = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
        if not new:
            return
        for message in new:
            seen.add(message["MessageId"])
            yield Message(message["MessageId"], message["ReceiptHandle"], _object(message["Body"]))


def release(sqs: Any, queue_url: str, messages: Iterable[Message]) -> None:
    """Give messages back to the queue at once; one whose hold has ended is there already."""
    for entries in _entries(messages):
        freed = [entry | {"VisibilityTimeout": 0} for entry in entries]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=freed)


def delete(sqs: Any, queue_url: str, messages: Iterable[Message]) -> None:
    """Delete messages. Raises MessagesKept where SQS refuses one: it will be seen again."""
    for entries in _entries(messages):
        refused = sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
        if refused:
            raise MessagesKept(len(refused), str(refused[0].get("Message") or refused[0]["Code"]))


def redrive(
    sqs: Any,
    stepfunctions: Any,
    queue_url: str,
    state_machine_arn: str,
    *,
    errors: Collection[str] = (),
) -> Redriven:
    """Start every failed execution of the queue anew, each once; only those of ``errors``, where any are named.

    The new execution's name derives from the failed one, and a message is deleted only after its execution has started:
    a call that died in between is completed by the next, because Step Functions refuses a name that it knows
    (an Express workflow does not, and may then run twice). Executions that fail anew while this runs are left.
    """
    started: dict[str, None] = {}
    already = failed_again = 0
    kept: list[Message] = []
    try:
        for message in receive(sqs, queue_url):
            payload = _input(stepfunctions, message)
            is_new_failure = message.execution_arn in started
            failed_again += is_new_failure
            asked_for = not errors or message.error in errors
            if is_new_failure or not asked_for or payload is None:
                kept.append(message)
                continue
            arn = _start(stepfunctions, state_machine_arn, redrive_name(message.execution_arn, payload), payload)
            if arn is None or arn in started:
                already += 1
            else:
                started[arn] = None
            delete(sqs, queue_url, [message])
    finally:
        release(sqs, queue_url, kept)
    return Redriven(tuple(started), already, failed_again, len(kept) - failed_again)


def errors_in(sqs: Any, queue_url: str) -> Counter[str]:
    """Count the failure queue's messages by the error's name; looking takes nothing away."""
    found: Counter[str] = Counter()
    seen: list[Message] = []
    try:
        for message in receive(sqs, queue_url):
            seen.append(message)
            found[message.error or "unnamed"] += 1
    finally:
        release(sqs, queue_url, seen)
    return found


def redrive_name(execution_arn: str, payload: str) -> str:
    """Return the name under which a failed execution is started anew: the same for the same failure."""
    return f"redrive-{hashlib.sha256(f'{execution_arn} {payload}'.encode()).hexdigest()[:40]}"


def _start(stepfunctions: Any, state_machine_arn: str, name: str, payload: str) -> str | None:
    """Start an execution and return its ARN; None where one of that name has been started before."""
    try:
        answer = stepfunctions.start_execution(stateMachineArn=state_machine_arn, name=name, input=payload)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ExecutionAlreadyExists":
            return None
        raise
    return str(answer["executionArn"])


def _input(stepfunctions: Any, message: Message) -> str | None:
    """Return the failed execution's input: from the message, or, where it was too large for one, from the execution."""
    if "input" in message.body:
        return json.dumps(message.body["input"], sort_keys=True)
    if not message.execution_arn:
        return None
    try:
        return history.describe(stepfunctions, message.execution_arn).input
    except (ExecutionUnknown, HistoryUnavailable):
        return None


def _entries(messages: Iterable[Message]) -> Iterator[list[dict[str, Any]]]:
    remaining = iter(messages)
    while batch := list(islice(remaining, _BATCH)):
        yield [{"Id": str(n), "ReceiptHandle": message.receipt_handle} for n, message in enumerate(batch)]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def images_of(messages: Sequence[Message]) -> dict[Image, list[Message]]:
    """Return the messages by the image that they ask to be reviewed; those that name none are left out."""
    found: dict[Image, list[Message]] = {}
    for message in messages:
        if message.image is not None:
            found.setdefault(message.image, []).append(message)
    return found

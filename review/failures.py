"""The failure queue: why images failed, and their redrive."""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

from core.json_objects import parse_json_object

MAX_LISTED = 200
_PEEK_SECONDS = 10
_BATCH = 10

Redrive = Callable[[Collection[str]], int]
"""Starts the failed executions of these ARNs again, all where none is named, and returns how many it started."""


@dataclass(frozen=True)
class Failure:
    """A message of the failure queue."""

    execution: str
    error: str
    reason: str
    image: str

    def to_dict(self) -> dict[str, str]:
        """Return plain JSON values."""
        return asdict(self)


def list_failures(sqs: Any, url: str) -> list[Failure]:
    """Return up to 200 messages; they are invisible to others for a moment, and stay in the queue."""
    seen: dict[str, dict[str, Any]] = {}
    try:
        while len(seen) < MAX_LISTED:
            response = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_PEEK_SECONDS, WaitTimeSeconds=0
            )
            new = [each for each in response.get("Messages", []) if each["MessageId"] not in seen]
            seen |= {each["MessageId"]: each for each in new}
            if not new:
                break
    finally:
        receipts = [each["ReceiptHandle"] for each in seen.values()]
        for first in range(0, len(receipts), _BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[first : first + _BATCH])
            ]
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    return [_failure(each["Body"]) for each in seen.values()]


def explain(cause: object) -> str:
    """Return the message in the cause of a failed state, which a Lambda writes as JSON."""
    text = str(cause or "")
    return str(parse_json_object(text).get("errorMessage", text))


def _failure(body: str) -> Failure:
    content = parse_json_object(body)
    if not content:
        return Failure("", "unreadable message", body[:500], "")
    payload = content.get("input")
    image = payload if isinstance(payload, dict) else {}
    location = f"s3://{image.get('s3_bucket', '')}/{image.get('s3_key', '')}" if "s3_key" in image else ""
    execution, error = str(content.get("execution_arn", "")), str(content.get("error", ""))
    return Failure(execution, error, explain(content.get("cause")), location)

"""The failure queue: why images failed, and their redrive."""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from core import queues
from core.json_objects import error_message
from core.queues import Message

MAX_LISTED = 200
_PEEK_SECONDS = 10

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
    messages: list[Message] = []
    try:
        messages += islice(queues.receive(sqs, url, visibility_timeout=_PEEK_SECONDS, wait_seconds=0), MAX_LISTED)
    finally:
        queues.release(sqs, url, messages)
    return [_failure(message) for message in messages]


def _failure(message: Message) -> Failure:
    if not message.body:
        return Failure("", "unreadable message", message.unreadable, "")
    payload = message.body.get("input")
    image = payload if isinstance(payload, dict) else {}
    location = f"s3://{image.get('s3_bucket', '')}/{image.get('s3_key', '')}" if "s3_key" in image else ""
    return Failure(message.execution_arn, message.error, explain(message), location)


def explain(message: Message) -> str:
    """Return the reason in the cause of a failed state."""
    return error_message(str(message.body.get("cause") or "")) or ""

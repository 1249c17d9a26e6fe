"""One captured inference, and how it is read from a line of a capture file."""

import base64
import binascii
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

VERSION = "0"
_KEYS = ("probabilities", "predictions", "prediction")
_SUM_TOLERANCE = 0.01


class Malformed(ValueError):
    """A line that is no captured inference with two probabilities."""


class UnknownVersion(ValueError):
    """A record of an ``eventVersion`` that is not read here."""


class Unanswered(ValueError):
    """A record without the endpoint's answer: only its input was captured."""


@dataclass(frozen=True, slots=True)
class CapturedInference:
    """One answered request. ``time`` is UTC, to the second as SageMaker writes it.

    ``inferences`` has a probability for each label; ``inference_id`` is what the caller sent along, if anything.
    ``content_type`` is the request's, None where the input was not captured. Latency is no part of a record.
    """

    time: datetime
    event_id: str
    inference_id: str | None
    inferences: tuple[float, float]
    content_type: str | None
    body: str | None = field(repr=False, default=None)
    encoding: str = "BASE64"

    @property
    def image(self) -> bytes | None:
        """The request's body, decoded on each call; None where it was not captured or cannot be decoded."""
        if self.body is None:
            return None
        if self.encoding != "BASE64":
            return self.body.encode()
        try:
            return base64.b64decode(self.body, validate=True)
        except (binascii.Error, ValueError):
            return None

    @property
    def label(self) -> int:
        """The likelier label, 0 or 1."""
        return int(self.inferences[1] > self.inferences[0])

    @property
    def confidence(self) -> float:
        """The likelier class's probability."""
        return max(self.inferences)


def parse(line: bytes) -> CapturedInference:
    """Read one record. Raises Malformed, UnknownVersion or Unanswered."""
    try:
        record = json.loads(line)
        if record["eventVersion"] != VERSION:
            raise UnknownVersion(f"eventVersion {record['eventVersion']!r}")
        meta, captured = record["eventMetadata"], record["captureData"]
        sent, answer = captured.get("endpointInput"), captured.get("endpointOutput")
        if not answer:
            raise Unanswered("no endpointOutput")
        return CapturedInference(
            time=_utc(meta["inferenceTime"]),
            event_id=str(meta["eventId"]),
            inference_id=meta.get("inferenceId"),
            inferences=probabilities(_decoded(answer["data"], answer.get("encoding", "BASE64"))),
            content_type=sent.get("observedContentType") if sent else None,
            body=str(sent["data"]) if sent else None,
            encoding=sent.get("encoding", "BASE64") if sent else "BASE64",
        )
    except (UnknownVersion, Unanswered, Malformed):
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Malformed(str(error)) from error


def _utc(text: str) -> datetime:
    """A time without an offset is UTC, as the captures' folders are."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _decoded(data: str, encoding: str) -> str:
    return base64.b64decode(data).decode() if encoding == "BASE64" else data


def probabilities(text: str) -> tuple[float, float]:
    """Read ``[p_0, p_1]`` from an endpoint's answer, in any form that it comes in. Raises Malformed."""
    values = _values(text)
    if len(values) != 2 or not all(math.isfinite(value) and value >= 0 for value in values):
        raise Malformed(f"an answer that is no pair of probabilities: {text[:80]!r}")
    if abs(sum(values) - 1) > _SUM_TOLERANCE:
        raise Malformed(f"probabilities that do not sum to one: {text[:80]!r}")
    return values[0], values[1]


def _values(text: str) -> list[float]:
    """The numbers in an answer: a bare array, one under a known key, nested for a batch of one, or CSV."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = text.strip().split(",")
    while True:
        if isinstance(found, dict):
            found = next((found[key] for key in _KEYS if key in found), [])
        elif isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict | list):
            found = found[0]
        else:
            break
    try:
        return [float(value) for value in found] if isinstance(found, list) else []
    except (ValueError, TypeError) as error:
        raise Malformed(f"an answer that is no pair of probabilities: {text[:80]!r}") from error

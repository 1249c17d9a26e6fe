"""One captured inference, parsed from a line of a capture file."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.predictions import is_probability_pair
from monitoring.errors import InvalidCaptureRecord, MalformedRecord, MissingOutput, UnknownVersion

VERSION = "0"
_KEYS = ("probabilities", "predictions", "prediction")


@dataclass(frozen=True, slots=True)
class CapturedInference:
    """One invocation. ``time`` is UTC, to the second as SageMaker writes it.

    ``inferences`` has a probability for each label; ``inference_id`` is the caller's, if any. ``content_type`` is the
    request's, or None if the input was not captured. Records do not contain latency.
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
        """The request's body, decoded on each call, or None if it was not captured or cannot be decoded."""
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
        """The predicted label, 0 or 1."""
        return int(self.inferences[1] > self.inferences[0])

    @property
    def confidence(self) -> float:
        """The probability of the predicted label."""
        return max(self.inferences)


def parse(line: bytes) -> CapturedInference:
    """Parse one record. Raises MalformedRecord, UnknownVersion or MissingOutput."""
    try:
        record = json.loads(line)
        if record["eventVersion"] != VERSION:
            raise UnknownVersion(f"eventVersion {record['eventVersion']!r}")
        meta, captured = record["eventMetadata"], record["captureData"]
        sent, response = captured.get("endpointInput"), captured.get("endpointOutput")
        if not response:
            raise MissingOutput("no endpointOutput")
        return CapturedInference(
            time=_utc(meta["inferenceTime"]),
            event_id=str(meta["eventId"]),
            inference_id=meta.get("inferenceId"),
            inferences=parse_probabilities(_decoded(response["data"], response.get("encoding", "BASE64"))),
            content_type=sent.get("observedContentType") if sent else None,
            body=str(sent["data"]) if sent else None,
            encoding=sent.get("encoding", "BASE64") if sent else "BASE64",
        )
    except InvalidCaptureRecord:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise MalformedRecord(str(error)) from error


def _utc(text: str) -> datetime:
    """Parse a time; without an offset it is UTC, as the folders of captures are."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _decoded(data: str, encoding: str) -> str:
    return base64.b64decode(data).decode() if encoding == "BASE64" else data


def parse_probabilities(text: str) -> tuple[float, float]:
    """Read ``[p_0, p_1]`` from an endpoint's response, in any form that endpoints use. Raises MalformedRecord."""
    try:
        values = [float(value) for value in _values(text)]
    except (ValueError, TypeError, OverflowError):
        values = []
    if not is_probability_pair(values):
        raise MalformedRecord(f"the response is not a pair of probabilities that sum to 1: {text[:80]!r}")
    return values[0], values[1]


def _values(text: str) -> list[Any]:
    """Return the values in a response: a bare array, one under a known key, nested for a batch of one, or CSV."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text.strip().split(",")
    while True:
        if isinstance(value, dict):
            value = next((value[key] for key in _KEYS if key in value), [])
        elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict | list):
            value = value[0]
        else:
            return value if isinstance(value, list) else []

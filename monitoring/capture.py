"""Reads what the endpoint saw: the data capture that SageMaker writes to S3.

Keys read ``{prefix}/{endpoint}/{variant}/yyyy/mm/dd/hh/MM-SS-mmm-uuid.jsonl`` in UTC, one JSON record a line, many
lines a file (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html).
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.errors import CaptureIncomplete

_VARIANT = "AllTraffic"
_CLOCK_SKEW = timedelta(seconds=2)


@dataclass(frozen=True)
class CapturedInference:
    """One answered request: when, under which id, and the answer's text as the endpoint gave it."""

    event_id: str
    time: datetime
    output: str


def read(
    s3: Any, bucket: str, prefix: str, endpoint: str, since: datetime, until: datetime
) -> Iterator[CapturedInference]:
    """Yield the endpoint's captured inferences of ``[since, until]``; only the hours asked for are listed."""
    for key in _keys(s3, bucket, f"{prefix}/{endpoint}/{_VARIANT}", since, until):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        for line in body.iter_lines():
            inference = _parse(line)
            if since <= inference.time <= until:
                yield inference


def wait_for(
    s3: Any,
    bucket: str,
    prefix: str,
    endpoint: str,
    since: datetime,
    expected: int,
    *,
    timeout: float,
    poll: float = 0.5,
) -> int:
    """Wait until ``expected`` inferences since ``since`` are captured and return how many there are.

    Times are compared to the second, which is what a record keeps. Raises CaptureIncomplete after ``timeout`` seconds.
    """
    start = since.replace(microsecond=0) - _CLOCK_SKEW
    deadline = time.monotonic() + timeout
    while True:
        until = datetime.now(UTC) + _CLOCK_SKEW
        captured = len({inference.event_id for inference in read(s3, bucket, prefix, endpoint, start, until)})
        if captured >= expected:
            return captured
        if time.monotonic() > deadline:
            raise CaptureIncomplete(captured, expected, timeout)
        time.sleep(poll)


def _keys(s3: Any, bucket: str, root: str, since: datetime, until: datetime) -> Iterator[str]:
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{root}/{hour:%Y/%m/%d/%H}/")
        for page in pages:
            yield from (entry["Key"] for entry in page.get("Contents", []))
        hour += timedelta(hours=1)


def _parse(line: bytes) -> CapturedInference:
    record = json.loads(line)
    meta = record["eventMetadata"]
    return CapturedInference(
        event_id=meta["eventId"],
        time=datetime.fromisoformat(meta["inferenceTime"]),
        output=record["captureData"]["endpointOutput"]["data"],
    )

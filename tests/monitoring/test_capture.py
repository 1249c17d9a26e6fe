import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.response import StreamingBody

from monitoring.capture import read, wait_for
from monitoring.errors import CaptureIncomplete

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def record(event_id: str, time: datetime) -> str:
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {
                    "observedContentType": "image/png",
                    "mode": "INPUT",
                    "data": "",
                    "encoding": "BASE64",
                },
                "endpointOutput": {
                    "observedContentType": "application/json",
                    "mode": "OUTPUT",
                    "data": "[0.9, 0.1]",
                    "encoding": "JSON",
                },
            },
            "eventMetadata": {"eventId": event_id, "inferenceTime": time.strftime("%Y-%m-%dT%H:%M:%SZ")},
            "eventVersion": "0",
        }
    )


class FakeS3:
    """Objects by key, and the prefixes that were listed."""

    def __init__(self, objects: dict[str, str]) -> None:
        self.objects = objects
        self.listed: list[str] = []

    def get_paginator(self, _operation: str) -> "FakeS3":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        self.listed.append(Prefix)
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        body = self.objects[Key].encode()
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}


def key(time: datetime, name: str) -> str:
    return f"capture/scones/AllTraffic/{time:%Y/%m/%d/%H/%M-%S}-000-{name}.jsonl"


def test_every_record_of_every_file_is_read() -> None:
    files = {
        key(NOON, "a"): "\n".join(record(f"a{n}", NOON) for n in range(3)) + "\n",
        key(NOON, "b"): record("b0", NOON + timedelta(minutes=1)),
    }
    found = read(FakeS3(files), "bucket", "capture", "scones", NOON, NOON + timedelta(minutes=5))
    assert [inference.event_id for inference in found] == ["a0", "a1", "a2", "b0"]


def test_only_the_hours_asked_for_are_listed() -> None:
    s3 = FakeS3({})
    list(read(s3, "bucket", "capture", "scones", NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)))
    assert s3.listed == ["capture/scones/AllTraffic/2026/03/01/11/", "capture/scones/AllTraffic/2026/03/01/12/"]


def test_records_outside_the_range_are_left_out() -> None:
    s3 = FakeS3({key(NOON, "a"): "\n".join([record("early", NOON - timedelta(seconds=9)), record("in", NOON)])})
    assert [i.event_id for i in read(s3, "bucket", "capture", "scones", NOON, NOON)] == ["in"]


def test_an_inference_written_twice_counts_once() -> None:
    now = datetime.now(UTC)
    s3 = FakeS3({key(now, "a"): record("one", now), key(now, "b"): record("one", now)})
    assert wait_for(s3, "bucket", "capture", "scones", now, 1, timeout=0) == 1


def test_missing_captures_are_an_error_that_counts_them() -> None:
    now = datetime.now(UTC)
    s3 = FakeS3({key(now, "a"): record("one", now)})
    with pytest.raises(CaptureIncomplete, match="1 of 3"):
        wait_for(s3, "bucket", "capture", "scones", now, 3, timeout=0)

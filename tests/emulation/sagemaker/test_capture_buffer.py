"""Captured records reach S3 whole, however the emulator or S3 fails."""

import asyncio
import json
from pathlib import Path

import pytest

from emulation.sagemaker.capture import CaptureBuffer, S3Object
from tests.emulation.fakes.bucket import BucketInMemory
from tests.emulation.sagemaker.capture_buffers import capture_buffer


@pytest.mark.parametrize(("thresholds", "files"), [({"records": 10}, 3), ({"bytes": 2000}, 5), ({}, 1)])
def test_a_file_is_complete_at_its_records_or_bytes(tmp_path: Path, thresholds: dict[str, int], files: int) -> None:
    bucket = BucketInMemory()

    async def run() -> None:
        held = capture_buffer(tmp_path, bucket, [0.0], **thresholds)
        for index in range(25):
            held.append(
                "place", f"{index:099d}\n".encode() * 4, lambda: S3Object("b", f"{len(list(tmp_path.iterdir()))}")
            )
        await held.flush()

    asyncio.run(run())
    assert len(bucket.objects) == files
    assert sum(content.count(b"\n") for content in bucket.objects.values()) == 100
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path: Path) -> None:
    bucket = BucketInMemory()
    (tmp_path / "1.jsonl").write_bytes(b'{"a":1}\n{"a":2}\n{"a":')
    (tmp_path / "1.target.json").write_text(json.dumps({"bucket": "b", "key": "k"}))
    asyncio.run(capture_buffer(tmp_path, bucket, [0.0]).flush())
    assert bucket.objects == {"k": b'{"a":1}\n{"a":2}\n'}


def test_a_spool_file_without_its_target_holds_up_no_other(tmp_path: Path) -> None:
    bucket = BucketInMemory()
    (tmp_path / "0.jsonl").write_bytes(b"{}\n")
    (tmp_path / "1.jsonl").write_bytes(b"{}\n")
    (tmp_path / "1.target.json").write_text(json.dumps({"bucket": "b", "key": "k"}))
    assert not asyncio.run(capture_buffer(tmp_path, bucket, [0.0]).flush())
    assert list(bucket.objects) == ["k"]


def test_records_stay_until_s3_takes_them(tmp_path: Path) -> None:
    bucket = BucketInMemory()

    async def run() -> None:
        held = capture_buffer(tmp_path, bucket, [0.0])
        held.append("place", b"{}\n", lambda: S3Object("b", "k"))
        bucket.refuses = True
        assert not await held.flush()
        assert held.waiting() == 1
        bucket.refuses = False
        assert await held.flush()
        assert (held.waiting(), held.uploaded) == (0, 1)

    asyncio.run(run())
    assert bucket.objects == {"k": b"{}\n"}


def test_a_record_that_the_disk_refuses_is_counted_as_lost(tmp_path: Path) -> None:
    async def run() -> CaptureBuffer:
        held = capture_buffer(tmp_path / "gone", BucketInMemory(), [0.0])
        (tmp_path / "gone").rmdir()
        held.append("place", b"{}\n", lambda: S3Object("b", "k"))
        return held

    held = asyncio.run(run())
    assert (held.recorded, held.lost) == (0, 1)

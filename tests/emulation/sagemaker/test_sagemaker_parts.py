"""The emulator's parts by themselves."""

import asyncio
import gzip
import io
import json
import random
import statistics
import struct
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from emulation.sagemaker import validation
from emulation.sagemaker.capture.buffer import CaptureBuffer, Target, Thresholds
from emulation.sagemaker.capture.records import Capture, Invocation
from emulation.sagemaker.errors import LaunchFailed
from emulation.sagemaker.hosting.model_artifacts import Limits, ModelArtifacts, unpack
from emulation.sagemaker.hosting.model_server import StubContainer
from emulation.sagemaker.store import Account, Kind, Record, Store, write_atomically
from tests.emulation.sagemaker.harness import archive, capture_config

CALL = Invocation("image/png", b"picture", "application/json", b"[0.9,0.1]", None)
LIMITS = Limits(stored=100_000, unpacked=1_000_000, members=50)


class BucketInMemory:
    """S3 as the emulator's parts see it."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = objects or {}
        self.keys: list[str] = []
        self.refuses = False

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        return self.get_object(Bucket=Bucket, Key=Key)

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        if Key not in self.objects:
            answer: Any = {"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(answer, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key]), "ETag": str(hash(self.objects[Key]))}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **more: Any) -> Mapping[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: str) -> Mapping[str, Any]:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "NoSuchBucket"}}, "PutObject")
        self.objects[Key] = Body
        return more


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def forged_long_name() -> bytes:
    """A header that says that four gigabytes of file name follow."""
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 4 * 1024**3
    return gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)


def test_an_archive_is_unpacked_with_its_folders(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(archive({"model.json": b"{}", "./code/sub/x.py": b"pass"}))
    unpack(tmp_path / "a.tar.gz", tmp_path / "out", LIMITS)
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"model.json", "code/sub/x.py"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(archive({"../x": b""}), id="leads out"),
        pytest.param(archive({"a/../../x": b""}), id="leads out later"),
        pytest.param(archive({"/etc/x": b""}), id="absolute"),
        pytest.param(archive({"..\\x": b""}), id="leads out on Windows"),
        pytest.param(packed((link("x", "/etc/passwd", tarfile.SYMTYPE), b"")), id="symlink"),
        pytest.param(packed((link("x", "/etc/passwd", tarfile.LNKTYPE), b"")), id="hard link"),
        pytest.param(packed((link("x", "", tarfile.CHRTYPE), b"")), id="device"),
        pytest.param(packed((link("x", "", tarfile.FIFOTYPE), b"")), id="fifo"),
        pytest.param(archive({"x": b"0" * 2_000_000}), id="too much"),
        pytest.param(archive({f"{index}": b"" for index in range(60)}), id="too many"),
        pytest.param(forged_long_name(), id="forged header"),
        pytest.param(gzip.compress(b"no tar at all" * 100), id="no tar"),
        pytest.param(gzip.compress(b"")[:-4], id="cut gzip"),
        pytest.param(archive({"x": b"0" * 5000})[:-40], id="cut archive"),
        pytest.param(struct.pack(">I", 7), id="no gzip"),
        pytest.param(archive({"x": b"", "x/y": b""}), id="file as folder"),
    ],
)
def test_an_archive_that_is_not_plain_files_is_refused(tmp_path: Path, content: bytes) -> None:
    artifacts = ModelArtifacts(BucketInMemory({"m.tar.gz": content}), tmp_path / "models", LIMITS)
    with pytest.raises(LaunchFailed, match="Failed to extract model data archive"):
        asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))
    assert list((tmp_path / "models").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_an_archive_over_the_limit_is_not_even_stored(tmp_path: Path) -> None:
    artifacts = ModelArtifacts(BucketInMemory({"m.tar.gz": bytes(200_000)}), tmp_path / "models", LIMITS)
    with pytest.raises(LaunchFailed, match="Failed to download model data"):
        asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))


def test_a_new_version_of_an_archive_is_another_model(tmp_path: Path) -> None:
    bucket = BucketInMemory({"m.tar.gz": archive({"version": b"1"})})
    artifacts = ModelArtifacts(bucket, tmp_path, LIMITS)
    first = asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))
    bucket.objects["m.tar.gz"] = archive({"version": b"2"})
    second = asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))
    kept = asyncio.run(artifacts.fetch("s3://b/m.tar.gz", first.key))
    assert [(each.directory / "version").read_bytes() for each in (first, second, kept)] == [b"1", b"2", b"1"]
    artifacts.sweep({second.key})
    assert [path.name for path in tmp_path.iterdir()] == [second.key]


def capture_buffer(directory: Path, bucket: BucketInMemory, now: list[float], **thresholds: float) -> CaptureBuffer:
    settings = Thresholds(
        thresholds.get("seconds", 60.0), int(thresholds.get("records", 1000)), int(thresholds.get("bytes", 10**6))
    )
    return CaptureBuffer(directory, bucket, settings, lambda: now[0])


@pytest.mark.parametrize(("percent", "least", "most"), [(0, 0, 0), (50, 1900, 2100), (100, 4000, 4000)])
def test_as_many_calls_are_captured_as_the_percentage_says(tmp_path: Path, percent: int, least: int, most: int) -> None:
    bucket = BucketInMemory()

    async def run() -> CaptureBuffer:
        held = capture_buffer(tmp_path, bucket, [0.0], records=10**6, bytes=10**9)
        capture = Capture(capture_config(percent), "e", "AllTraffic", held, random.Random(7))
        for _ in range(4000):
            capture.take(CALL, datetime(2026, 11, 1, 10, 5, 12, 996_000, UTC))
        assert await held.flush()
        return held

    recorded = asyncio.run(run()).recorded
    assert least <= recorded <= most
    for key in bucket.objects:
        assert key.startswith("data/e/AllTraffic/2026/11/01/10/05-12-996-")
    assert sum(content.count(b"\n") for content in bucket.objects.values()) == recorded


def test_records_go_to_the_folder_of_their_hour(tmp_path: Path) -> None:
    bucket = BucketInMemory()

    async def run() -> None:
        held = capture_buffer(tmp_path, bucket, [0.0])
        capture = Capture(capture_config(100), "e", "AllTraffic", held, random.Random(7))
        capture.take(CALL, datetime(2026, 11, 1, 10, 59, 59, 999_000, UTC))
        capture.take(CALL, datetime(2026, 11, 1, 11, 0, 0, 1000, UTC))
        await held.flush()

    asyncio.run(run())
    assert sorted(key[:32] for key in bucket.objects) == [
        "data/e/AllTraffic/2026/11/01/10/",
        "data/e/AllTraffic/2026/11/01/11/",
    ]


@pytest.mark.parametrize(("thresholds", "files"), [({"records": 10}, 3), ({"bytes": 2000}, 5), ({}, 1)])
def test_a_file_is_complete_at_its_records_or_bytes(tmp_path: Path, thresholds: dict[str, int], files: int) -> None:
    bucket = BucketInMemory()

    async def run() -> None:
        held = capture_buffer(tmp_path, bucket, [0.0], **thresholds)
        for index in range(25):
            held.append(
                "place", f"{index:099d}\n".encode() * 4, lambda: Target("b", f"{len(list(tmp_path.iterdir()))}")
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
        held.append("place", b"{}\n", lambda: Target("b", "k"))
        bucket.refuses = True
        assert not await held.flush()
        assert held.waiting() == 1
        bucket.refuses = False
        assert await held.flush()
        assert (held.waiting(), held.uploaded) == (0, 1)

    asyncio.run(run())
    assert bucket.objects == {"k": b"{}\n"}


def test_scripted_answers_are_the_number_given_or_follow_from_the_image() -> None:
    def ask(scripted: StubContainer, body: bytes) -> Any:
        return json.loads(asyncio.run(scripted.invoke({}, body)).body)

    assert ask(StubContainer(0.97), b"x") == [0.97, 0.03]
    answers = [ask(StubContainer(), f"picture {index}".encode()) for index in range(200)]
    assert answers == [ask(StubContainer(), f"picture {index}".encode()) for index in range(200)]
    assert all(abs(first + second - 1) < 1e-6 for first, second in answers)
    assert 0.4 < statistics.fmean(first for first, _ in answers) < 0.6


def test_a_record_that_the_disk_refuses_is_counted_as_lost(tmp_path: Path) -> None:
    async def run() -> CaptureBuffer:
        held = capture_buffer(tmp_path / "gone", BucketInMemory(), [0.0])
        (tmp_path / "gone").rmdir()
        held.append("place", b"{}\n", lambda: Target("b", "k"))
        return held

    held = asyncio.run(run())
    assert (held.recorded, held.lost) == (0, 1)


def test_a_store_reads_back_what_it_wrote_and_passes_over_what_is_broken(tmp_path: Path) -> None:
    store = Store(tmp_path, Account("us-east-1"))
    record = Record("Name", "arn", 1.5, 2.5, {"Image": "i"}, {"k": "v"}, {"p": 1})
    store.save(Kind.MODEL, record)
    (tmp_path / "model" / "broken.json").write_text('{"name": "x"')
    (tmp_path / "model" / "other.json").write_text('{"surprise": 1}')
    again = Store(tmp_path, Account("us-east-1"))
    assert again.find(Kind.MODEL, "NAME") == record
    assert again.all(Kind.MODEL) == [record]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, None)  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["file.json"]


@pytest.mark.parametrize(
    ("member", "value", "good"),
    [
        ("Key", "größe µ_.:/=+-@", True),
        ("Key", "no#hash", False),
        ("Key", "", False),
        ("Key", "tab\t", False),
        ("Value", "", True),
    ],
)
def test_javas_patterns_mean_the_same_here(member: str, value: str, good: bool) -> None:
    shape = botocore.session.get_session().get_service_model("sagemaker").shape_for("Tag")
    found = list(validation.violations({"Key": "k", "Value": "v", member: value}, shape))
    assert (found == []) is good

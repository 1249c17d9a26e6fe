import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.training.data.cifar_archives import members, pack
from training.data.cifar_archive import CifarSource
from training.data.dataset_manifest import read_manifest
from training.data.dataset_upload import UploadReport, upload
from training.data.errors import BucketNotFound, NotStaged, UploadDenied, UploadFailed
from training.data.staging import stage

FILES = 32  # 20 training images, 10 test images and two lists


class FakeS3:
    """An S3 of one bucket in memory; it can fail at a certain object, and tags may be other than MD5."""

    def __init__(self, page: int = 7, *, encrypted: bool = False) -> None:
        self.objects: dict[str, tuple[bytes, str, str]] = {}
        self.calls: list[str] = []
        self.fail_at: tuple[int, BaseException] | None = None
        self.page, self.encrypted = page, encrypted
        self.lock = threading.Lock()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> dict[str, Any]:  # noqa: N803
        time.sleep(0.002)
        with self.lock:
            self.calls.append(f"put {Key}")
            if self.fail_at and len(self.puts()) > self.fail_at[0]:
                raise self.fail_at[1]
            salt = b"key" if self.encrypted else b""
            tag = f'"{hashlib.md5(Body + salt, usedforsecurity=False).hexdigest()}"'
            self.objects[Key] = (Body, tag, ContentType)
            return {"ETag": tag}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self.calls.append(f"get {Key}")
        return {"Body": io.BytesIO(self.objects[Key][0])}

    def get_paginator(self, operation_name: str, /) -> "FakeS3":
        assert operation_name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        self.calls.append(f"list {Prefix}")
        if Bucket != "bucket":
            raise ClientError({"Error": {"Code": "NoSuchBucket", "Message": "gone"}}, "ListObjectsV2")
        result = [
            {"Key": key, "ETag": tag} for key, (_, tag, _) in sorted(self.objects.items()) if key.startswith(Prefix)
        ]
        yield {}
        for start in range(0, len(result), self.page):
            yield {"Contents": result[start : start + self.page]}

    def puts(self) -> list[str]:
        return [call.removeprefix("put ") for call in self.calls if call.startswith("put ")]


@pytest.fixture
def staged(archive: Path, tmp_path: Path) -> Path:
    return stage(CifarSource(archive), tmp_path / "staged").path


def test_every_file_arrives_below_the_prefix_with_its_type_and_the_manifest_last(staged: Path) -> None:
    s3 = FakeS3()
    report = upload(staged, s3, "bucket", "data/cifar/")
    size = sum(file.size for file in read_manifest(staged).files.values())
    assert report == UploadReport(FILES, 0, size)
    here = {f"data/cifar/{path.relative_to(staged)}": path.read_bytes() for path in staged.rglob("*.*")}
    manifest = s3.objects.pop("data/cifar/manifest.json")
    assert {key: body for key, (body, _, _) in s3.objects.items()} == {
        key: body for key, body in here.items() if not key.endswith("manifest.json")
    }
    assert {key.rsplit(".")[-1]: kind for key, (_, _, kind) in s3.objects.items()} == {
        "png": "image/png", "lst": "text/plain; charset=utf-8",
    }  # fmt: skip
    assert s3.puts()[-1] == "data/cifar/manifest.json"
    body = json.loads(manifest[0])
    assert body["files"]["train.lst"]["etag"] == s3.objects["data/cifar/train.lst"][1]
    assert body["counts"] == read_manifest(staged).counts()


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_second_run_uploads_nothing(staged: Path, encrypted: bool) -> None:
    s3 = FakeS3(encrypted=encrypted)
    upload(staged, s3, "bucket", "data")
    s3.calls.clear()
    assert upload(staged, s3, "bucket", "data") == UploadReport(0, FILES, 0)
    assert s3.calls == ["list data/", "get data/manifest.json"]


def test_an_interrupted_run_goes_on_where_it_stopped(staged: Path) -> None:
    s3 = FakeS3()
    s3.fail_at = (12, EndpointConnectionError(endpoint_url="http://s3"))
    with pytest.raises(UploadFailed, match=r"s3://bucket/data/.*it resumes the upload"):
        upload(staged, s3, "bucket", "data", workers=1)
    assert "data/manifest.json" not in s3.objects
    assert len(s3.puts()) < FILES, "what was not begun is not begun any more"
    there = len(s3.objects)
    s3.fail_at = None
    report = upload(staged, s3, "bucket", "data")
    assert (report.uploaded, report.skipped) == (FILES - there, there)
    assert there >= 12
    assert len(s3.objects) == FILES + 1


def test_ctrl_c_goes_through_and_the_next_run_goes_on(staged: Path) -> None:
    s3, seen = FakeS3(), 0

    def interrupt(done: int, total: int) -> None:
        nonlocal seen
        seen = done
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload(staged, s3, "bucket", "data", interrupt, workers=2)
    assert seen == 5
    assert len(s3.objects) < FILES
    there = len(s3.objects)
    assert upload(staged, s3, "bucket", "data").uploaded == FILES - there


def test_an_object_that_is_gone_or_was_replaced_is_sent_again(staged: Path) -> None:
    s3 = FakeS3(encrypted=True)
    upload(staged, s3, "bucket", "data")
    del s3.objects["data/test.lst"]
    s3.put_object(Bucket="bucket", Key="data/train.lst", Body=b"other", ContentType="text/plain")
    s3.calls.clear()
    assert upload(staged, s3, "bucket", "data").uploaded == 2
    assert sorted(s3.puts()) == ["data/test.lst", "data/train.lst"]
    assert upload(staged, s3, "bucket", "data").uploaded == 0


def test_other_images_replace_those_that_differ(staged: Path, tmp_path: Path) -> None:
    s3 = FakeS3()
    upload(staged, s3, "bucket", "data")
    other = stage(CifarSource(pack(tmp_path / "b.tar.gz", members(rows=44))), tmp_path / "other").path
    upload(other, s3, "bucket", "data")
    for path, file in read_manifest(other).files.items():
        assert hashlib.sha256(s3.objects[f"data/{path}"][0]).hexdigest() == file.sha256


@pytest.mark.parametrize("record", [b"", b"[]", b'{"files": {"train.lst": {}}}', b'{"files": []}', b"\xff"])
def test_a_record_that_cannot_be_read_only_costs_a_comparison(staged: Path, record: bytes) -> None:
    s3 = FakeS3()
    upload(staged, s3, "bucket", "data")
    s3.put_object(Bucket="bucket", Key="data/manifest.json", Body=record, ContentType="application/json")
    assert upload(staged, s3, "bucket", "data") == UploadReport(0, FILES, 0)
    assert json.loads(s3.objects["data/manifest.json"][0])["format"] == 1


def test_the_top_of_a_bucket_is_a_prefix_too(staged: Path) -> None:
    s3 = FakeS3()
    upload(staged, s3, "bucket", "")
    assert {"manifest.json", "train.lst"} <= s3.objects.keys()
    assert upload(staged, s3, "bucket", "/").uploaded == 0


def test_progress_counts_what_is_there_already(staged: Path) -> None:
    s3, seen = FakeS3(), list[tuple[int, int]]()
    s3.fail_at = (10, EndpointConnectionError(endpoint_url="http://s3"))
    with pytest.raises(UploadFailed):
        upload(staged, s3, "bucket", "data", workers=1)
    s3.fail_at = None
    there = len(s3.objects)
    upload(staged, s3, "bucket", "data", lambda done, total: seen.append((done, total)))
    assert seen == [(done, FILES) for done in range(there + 1, FILES + 1)]


def test_what_is_not_staged_is_not_uploaded(staged: Path, tmp_path: Path) -> None:
    with pytest.raises(NotStaged, match="scones stage"):
        upload(tmp_path, FakeS3(), "bucket", "data")
    (staged / "train.lst").write_text("1\t0\tother.png\n")
    with pytest.raises(NotStaged, match=r"train\.lst has changed"):
        upload(staged, FakeS3(), "bucket", "data")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("NoSuchBucket", BucketNotFound),
        ("AccessDenied", UploadDenied),
        ("403", UploadDenied),
        ("SlowDown", UploadFailed),
    ],
)
def test_what_s3_refuses_has_a_name(staged: Path, code: str, error: type[Exception]) -> None:
    s3 = FakeS3()
    s3.fail_at = (3, ClientError({"Error": {"Code": code, "Message": "no"}}, "PutObject"))
    with pytest.raises(error, match="bucket") as caught:
        upload(staged, s3, "bucket", "data", workers=3)
    assert "\n" not in str(caught.value)


def test_a_bucket_that_does_not_exist_is_said_before_anything_is_sent(staged: Path) -> None:
    s3 = FakeS3()
    with pytest.raises(BucketNotFound, match="'nowhere'"):
        upload(staged, s3, "nowhere", "data")
    assert s3.puts() == []

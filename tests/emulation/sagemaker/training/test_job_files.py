"""What a job reads from S3 into memory is bounded."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulation.sagemaker.errors import TrainingFailed
from emulation.sagemaker.hosting.model_artifacts import store
from emulation.sagemaker.training import job_files
from emulation.sagemaker.training.job_files import JobDirectory


class Endless(io.RawIOBase):
    """An object without an end, which may only be read in pieces."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 64 * 1024 * 1024
        self.given += size
        return bytes(size)


class OneObject:
    """S3 with the same object under every key."""

    def __init__(self, body: Endless) -> None:
        self.body = body

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        return {"Body": self.body}


def test_a_manifest_without_an_end_fails_the_job(tmp_path: Path) -> None:
    body = Endless()
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://b/manifest"}}
    request = {"InputDataConfig": [{"ChannelName": "train", "DataSource": source}]}
    with pytest.raises(TrainingFailed, match="the manifest s3://b/manifest is over 33554432 bytes"):
        job_files.download(OneObject(body), request, JobDirectory(tmp_path))  # type: ignore[arg-type]
    assert body.given < 64 * 1024 * 1024


def test_an_archive_without_an_end_is_not_stored(tmp_path: Path) -> None:
    body = Endless()
    with pytest.raises(ValueError, match="over 1000000 bytes"):
        store(body, tmp_path / "archive", 1_000_000)  # type: ignore[arg-type]
    assert (tmp_path / "archive").stat().st_size <= 1_000_000

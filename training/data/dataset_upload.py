"""Brings staged pictures to S3: concurrently, each only once, and on from where an earlier run stopped."""

import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from training.data.dataset_manifest import MANIFEST, File, Manifest, read_manifest
from training.data.errors import BucketNotFound, NotStaged, UploadDenied, UploadError, UploadFailed

Progress = Callable[[int, int], None]

_TYPES = {".png": "image/png", ".lst": "text/plain; charset=utf-8"}
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"})


class S3(Protocol):
    """What is needed of boto3's S3 client."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Mapping[str, Any]: ...  # noqa: N803, D102
    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]: ...  # noqa: N803, D102
    def get_paginator(self, operation_name: Any, /) -> Any: ...  # noqa: D102


class UploadReport(NamedTuple):
    """How many files a run sent, how many were there already, and how many bytes it sent."""

    uploaded: int
    skipped: int
    bytes: int


class _Sent(NamedTuple):
    """A file as it was sent: the checksum of its content and the tag that S3 gave it."""

    sha256: str
    etag: str


@dataclass(frozen=True)
class _Place:
    """Where in S3 the files go."""

    s3: S3
    bucket: str
    prefix: str  # empty, or with a slash at its end

    def listed(self) -> dict[str, str]:
        """Return the tag of every object below the prefix, by its path there."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        objects = (entry for page in pages for entry in page.get("Contents", ()))
        return {entry["Key"][len(self.prefix) :]: entry["ETag"] for entry in objects}

    def record(self) -> dict[str, _Sent]:
        """Return what an earlier run says it has sent; nothing where its record cannot be read."""
        body = self.s3.get_object(Bucket=self.bucket, Key=self.prefix + MANIFEST)["Body"].read()
        try:
            return {path: _Sent(file["sha256"], file["etag"]) for path, file in json.loads(body)["files"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}

    def put(self, path: str, body: bytes, content_type: str) -> str:
        """Send one object and return its tag."""
        answer = self.s3.put_object(Bucket=self.bucket, Key=self.prefix + path, Body=body, ContentType=content_type)
        return str(answer["ETag"])


def upload(
    staged: Path, s3: S3, bucket: str, prefix: str, progress: Progress | None = None, workers: int = 16
) -> UploadReport:
    """Bring the staged directory to ``s3://bucket/prefix/``, its manifest last.

    A file is left out where S3 lists it with the tag that it got when its present content was sent: by the record of
    an earlier run (the manifest beside it), or because the tag is the content's MD5, by which a run goes on that was
    interrupted before it left a record. Ctrl-C ends after the few files that are on their way.

    The client is used by ``workers`` threads at once: make it with ``Config(max_pool_connections=workers)``.
    ``progress`` gets files done and files in all. Raises NotStaged or an UploadError.
    """
    manifest = read_manifest(staged)
    place = _Place(s3, bucket, prefix.strip("/") + "/" if prefix.strip("/") else "")
    try:
        there = place.listed()
        record = place.record() if MANIFEST in there else {}
        sent = {
            path: done for path, file in manifest.files.items() if (done := _done(staged, path, file, there, record))
        }
        missing = [path for path in manifest.files if path not in sent]
        with closing(_send(place, staged, manifest, missing, workers)) as arriving:
            for path, done in arriving:
                sent[path] = done
                if progress:
                    progress(len(sent), len(manifest.files))
        if sent != record:
            place.put(MANIFEST, _recorded(manifest, sent), "application/json")
    except (ClientError, BotoCoreError) as error:
        raise _named(error, place) from error
    return UploadReport(len(missing), len(sent) - len(missing), sum(manifest.files[path].size for path in missing))


def _done(staged: Path, path: str, file: File, there: dict[str, str], record: dict[str, _Sent]) -> _Sent | None:
    """Return the file as it was sent, if S3 still has it."""
    tag = there.get(path)
    if tag is None:
        return None
    if path in record and record[path] == (file.sha256, tag):
        return record[path]
    content = hashlib.md5(_content(staged, path, file), usedforsecurity=False)
    return _Sent(file.sha256, tag) if tag.strip('"') == content.hexdigest() else None


def _content(staged: Path, path: str, file: File) -> bytes:
    try:
        data = (staged / path).read_bytes()
    except OSError as error:
        raise NotStaged(staged, f"{path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise NotStaged(staged, f"{path} has changed since")
    return data


def _send(
    place: _Place, staged: Path, manifest: Manifest, missing: list[str], workers: int
) -> Generator[tuple[str, _Sent], None, None]:
    """Send the missing files and yield each as it arrives; whatever stops this stops the files not yet begun."""

    def send(path: str) -> tuple[str, _Sent]:
        file = manifest.files[path]
        tag = place.put(path, _content(staged, path, file), _TYPES.get(Path(path).suffix, "application/octet-stream"))
        return path, _Sent(file.sha256, tag)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for future in as_completed([pool.submit(send, path) for path in missing]):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _recorded(manifest: Manifest, sent: dict[str, _Sent]) -> bytes:
    """Return the manifest with the tag of every file."""
    body = json.loads(manifest.to_json())
    for path, entry in body["files"].items():
        entry["etag"] = sent[path].etag
    return json.dumps(body, indent=1).encode()


def _named(error: ClientError | BotoCoreError, place: _Place) -> UploadError:
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchBucket":
            return BucketNotFound(place.bucket)
        if code in _DENIED:
            return UploadDenied(place.bucket, error.operation_name)
    return UploadFailed(f"to s3://{place.bucket}/{place.prefix}", str(error))

"""Uploads a staged dataset to S3: concurrently, each file once, resuming an earlier run."""

import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from core.aws_errors import error_code
from training.data.dataset_manifest import MANIFEST, File, Manifest, read_manifest
from training.data.errors import BucketNotFound, NotStaged, UploadDenied, UploadError, UploadFailed

Progress = Callable[[int, int], None]

_CONTENT_TYPES = {".png": "image/png", ".lst": "text/plain; charset=utf-8"}
_DENIED_CODES = frozenset(
    {"AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
)


class S3(Protocol):
    """The calls of boto3's S3 client that an upload needs."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Mapping[str, Any]: ...  # noqa: N803, D102
    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]: ...  # noqa: N803, D102
    def get_paginator(self, operation_name: Any, /) -> Any: ...  # noqa: D102


class UploadReport(NamedTuple):
    """How many files a run uploaded, how many it skipped because S3 has them, and the uploaded bytes."""

    uploaded: int
    skipped: int
    bytes: int


class _Upload(NamedTuple):
    """A file as it was uploaded: the checksum of its content, and its ETag in S3."""

    sha256: str
    etag: str


@dataclass(frozen=True)
class _Destination:
    """A prefix of a bucket."""

    s3: S3
    bucket: str
    prefix: str  # empty, or with a slash at its end

    def etags(self) -> dict[str, str]:
        """Return the ETag of every object below the prefix, by its path there."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        objects = (entry for page in pages for entry in page.get("Contents", ()))
        return {entry["Key"][len(self.prefix) :]: entry["ETag"] for entry in objects}

    def previous_uploads(self) -> dict[str, _Upload]:
        """Return the uploads that an earlier run recorded in the manifest, or none if that cannot be read."""
        body = self.s3.get_object(Bucket=self.bucket, Key=self.prefix + MANIFEST)["Body"].read()
        try:
            return {path: _Upload(file["sha256"], file["etag"]) for path, file in json.loads(body)["files"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}

    def put(self, path: str, body: bytes, content_type: str) -> str:
        """Upload one object and return its ETag."""
        response = self.s3.put_object(Bucket=self.bucket, Key=self.prefix + path, Body=body, ContentType=content_type)
        return str(response["ETag"])


def upload(
    staged: Path, s3: S3, bucket: str, prefix: str, progress: Progress | None = None, workers: int = 16
) -> UploadReport:
    """Upload the staged directory to ``s3://bucket/prefix/``, its manifest last.

    A file is skipped where its ETag in S3 is the one that an earlier run recorded for the same content, or where the
    ETag is the MD5 of the content: so an interrupted run is resumed, too. Ctrl-C ends after the uploads in progress.

    ``workers`` threads use the client: create it with ``Config(max_pool_connections=workers)``. ``progress`` gets the
    number of files done and in all. Raises NotStaged or an UploadError.
    """
    manifest = read_manifest(staged)
    destination = _Destination(s3, bucket, prefix.strip("/") + "/" if prefix.strip("/") else "")
    try:
        etags = destination.etags()
        previous = destination.previous_uploads() if MANIFEST in etags else {}
        uploads = {
            path: upload
            for path, file in manifest.files.items()
            if (upload := _existing_upload(staged, path, file, etags, previous))
        }
        missing = [path for path in manifest.files if path not in uploads]
        with closing(_upload_files(destination, staged, manifest, missing, workers)) as finished:
            for path, upload in finished:
                uploads[path] = upload
                if progress:
                    progress(len(uploads), len(manifest.files))
        if uploads != previous:
            destination.put(MANIFEST, _manifest_with_etags(manifest, uploads), "application/json")
    except (ClientError, BotoCoreError) as error:
        raise _translate(error, destination) from error
    return UploadReport(len(missing), len(uploads) - len(missing), sum(manifest.files[path].size for path in missing))


def _existing_upload(
    staged: Path, path: str, file: File, etags: dict[str, str], previous: dict[str, _Upload]
) -> _Upload | None:
    """Return the file's upload where S3 has the same content."""
    etag = etags.get(path)
    if etag is None:
        return None
    if path in previous and previous[path] == (file.sha256, etag):
        return previous[path]
    checksum = hashlib.md5(_read_file(staged, path, file), usedforsecurity=False).hexdigest()
    return _Upload(file.sha256, etag) if etag.strip('"') == checksum else None


def _read_file(staged: Path, path: str, file: File) -> bytes:
    try:
        data = (staged / path).read_bytes()
    except OSError as error:
        raise NotStaged(staged, f"{path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise NotStaged(staged, f"{path} has changed since it was staged")
    return data


def _upload_files(
    destination: _Destination, staged: Path, manifest: Manifest, missing: list[str], workers: int
) -> Generator[tuple[str, _Upload], None, None]:
    """Upload the missing files and yield each when it is done; closing this cancels those not yet begun."""

    def upload_file(path: str) -> tuple[str, _Upload]:
        file = manifest.files[path]
        content_type = _CONTENT_TYPES.get(Path(path).suffix, "application/octet-stream")
        etag = destination.put(path, _read_file(staged, path, file), content_type)
        return path, _Upload(file.sha256, etag)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for future in as_completed([pool.submit(upload_file, path) for path in missing]):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _manifest_with_etags(manifest: Manifest, uploads: dict[str, _Upload]) -> bytes:
    body = json.loads(manifest.to_json())
    for path, entry in body["files"].items():
        entry["etag"] = uploads[path].etag
    return json.dumps(body, indent=1).encode()


def _translate(error: ClientError | BotoCoreError, destination: _Destination) -> UploadError:
    if isinstance(error, ClientError):
        code = error_code(error)
        if code == "NoSuchBucket":
            return BucketNotFound(destination.bucket)
        if code in _DENIED_CODES:
            return UploadDenied(destination.bucket, error.operation_name)
    return UploadFailed(f"s3://{destination.bucket}/{destination.prefix}", str(error))

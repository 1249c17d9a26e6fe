"""Model archives from S3, unpacked once per version; what is unpacked survives a restart, as S3 here may not."""

import asyncio
import gzip
import hashlib
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import InvalidS3Uri
from core.s3_uris import S3Uri
from emulation.sagemaker import aws_clients
from emulation.sagemaker.errors import LaunchFailed, ValidationException

_CHUNK = 1024 * 1024
_MAX_HEADER = 256 * 1024
_MAX_FOLDERS = 32
_UNREADABLE = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, zlib.error)


@dataclass(frozen=True)
class ArchiveLimits:
    """How large an archive may be: bytes as stored, bytes unpacked, members."""

    stored: int = 2 * 1024**3
    unpacked: int = 4 * 1024**3
    members: int = 10_000


DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True)
class ModelArtifact:
    """An unpacked model; ``key`` finds it again after a restart."""

    key: str
    directory: Path


class ModelArtifacts:
    """The unpacked models under one directory."""

    def __init__(self, client: aws_clients.S3, directory: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        self._client = client
        self._directory = directory
        self._limits = limits
        directory.mkdir(parents=True, exist_ok=True)

    async def require(self, url: str, role: str) -> None:
        """Raise as CreateModel does unless there is an object at ``url``."""
        try:
            bucket, key = S3Uri.parse(url)
            await asyncio.to_thread(self._client.head_object, Bucket=bucket, Key=key)
        except (ClientError, BotoCoreError, InvalidS3Uri) as error:
            if _status(error) == 404:
                raise ValidationException(f"Could not find model data at {url}.") from error
            raise ValidationException(
                f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its trust '
                'relationship policy allows the action "sts:AssumeRole" for the service principal '
                '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
                f"object is located in this region. ({error})"
            ) from error

    async def fetch(self, url: str, known: str | None) -> ModelArtifact:
        """Return the model at ``url`` unpacked: the one of key ``known`` if it is still here, else from S3.

        Raises LaunchFailed with the endpoint's FailureReason.
        """
        if known is not None and (self._directory / known).is_dir():
            return ModelArtifact(known, self._directory / known)
        try:
            return await asyncio.to_thread(self._fetch, url)
        except OSError as error:  # a full disk, most likely
            raise LaunchFailed(_download_failure(url, str(error))) from error

    def delete_unused(self, used: Collection[str]) -> None:
        """Delete every unpacked model whose key is not in ``used``, and what a crash left half unpacked."""
        for directory in self._directory.iterdir():
            if directory.name not in used:
                shutil.rmtree(directory, ignore_errors=True)

    def _fetch(self, url: str) -> ModelArtifact:
        try:
            bucket, name = S3Uri.parse(url)
            response = self._client.get_object(Bucket=bucket, Key=name)
        except (ClientError, BotoCoreError, InvalidS3Uri) as error:
            raise LaunchFailed(_download_failure(url, str(error))) from error
        key = hashlib.sha256(f"{url}\n{response['ETag']}".encode()).hexdigest()[:32]
        final = self._directory / key
        with response["Body"] as body, tempfile.TemporaryDirectory(dir=self._directory, prefix=".loading-") as scratch:
            archive, unpacked = Path(scratch, "model.tar.gz"), Path(scratch, "model")
            self._download(url, body, archive)
            try:
                unpack(archive, unpacked, self._limits)
            except _UNREADABLE as error:
                raise LaunchFailed(_extract_failure(url, str(error))) from error
            try:
                unpacked.rename(final)
            except OSError:
                if not final.is_dir():  # another endpoint may have unpacked the same in the meantime
                    raise
        return ModelArtifact(key, final)

    def _download(self, url: str, body: BinaryIO, archive: Path) -> None:
        try:
            store(body, archive, self._limits.stored)
        except (OSError, ValueError, BotoCoreError) as error:
            raise LaunchFailed(_download_failure(url, str(error))) from error


def store(body: BinaryIO, path: Path, limit: int) -> None:
    """Copy an object to a file, a piece at a time. Raises ValueError if it is over ``limit`` bytes."""
    size = 0
    with path.open("wb") as file:
        while chunk := body.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise ValueError(f"the object is over {limit} bytes")
            file.write(chunk)


class _MeteredGzip(gzip.GzipFile):
    """Gives out only as much as ``allowed``: a forged tar header asks for any amount before its size can be checked."""

    allowed = _MAX_HEADER

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= self.allowed:
            raise tarfile.ReadError("a header of the archive is too large")
        data = super().read(size)
        self.allowed -= len(data)
        return data


def unpack(archive: Path, into: Path, limits: ArchiveLimits) -> None:
    """Unpack a tar.gz of plain files and directories; raise a TarError, OSError or ValueError for anything else.

    Links, devices and paths that lead out of ``into`` are refused, as is more than ``limits`` allows.
    """
    into.mkdir()
    left, count = limits.unpacked, 0
    with _MeteredGzip(archive, "rb") as plain, tarfile.open(fileobj=cast(BinaryIO, plain), mode="r:") as tar:
        while (member := tar.next()) is not None:
            _check_member(member)
            left, count = left - member.size, count + 1
            if left < 0 or count > limits.members:
                raise tarfile.TarError(f"more than {limits.unpacked} bytes or {limits.members} members")
            plain.allowed = member.size + _MAX_HEADER
            _unpack_member(tar, member, into)
            plain.allowed = _MAX_HEADER


def _check_member(member: tarfile.TarInfo) -> None:
    """Raise TarError for anything but a plain file or directory inside the archive, of an ordinary path and size."""
    path, name = PurePosixPath(member.name), repr(member.name[:200])
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise tarfile.TarError(f"{name} leads out of the archive")
    if len(path.parts) > _MAX_FOLDERS:
        raise tarfile.TarError(f"{name} is more than {_MAX_FOLDERS} folders deep")
    if member.size < 0:
        raise tarfile.TarError(f"{name} has a negative size")
    if member.issparse() or not (member.isfile() or member.isdir()):
        raise tarfile.TarError(f"{name} is neither a plain file nor a directory")


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    target = into / PurePosixPath(member.name)
    (target if member.isdir() else target.parent).mkdir(parents=True, exist_ok=True)
    if member.isfile():
        with cast(BinaryIO, tar.extractfile(member)) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)


def _status(error: Exception) -> int | None:
    if not isinstance(error, ClientError):
        return None
    status: int | None = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status


def _download_failure(url: str, detail: str) -> str:
    return (
        f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there is an '
        "object located at the URL and that the role passed to CreateModel has permissions to download the object. "
        f"({detail})"
    )


def _extract_failure(url: str, detail: str) -> str:
    return (
        f'Failed to extract model data archive for container "container_1" from URL "{url}". Please ensure that the '
        f"object located at the URL is a valid tar.gz archive. ({detail})"
    )

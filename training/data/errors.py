"""Errors of datasets.

DataError
├── ArchiveError
│   ├── ArchiveNotFound
│   ├── UnreadableArchive
│   ├── ArchiveCorrupt    truncated, not an archive, or not of CIFAR-100's layout
│   ├── ArchiveTooLarge   larger than CIFAR-100
│   └── UnsafeArchive     contains what CIFAR-100 does not; nothing of it is executed or written
├── ClassNotFound
├── DownloadError
│   ├── NoNetwork
│   ├── DownloadRefused   the server responded with something other than the file
│   └── ChecksumMismatch
├── DiskFull
├── WriteFailed
├── DestinationOccupied   a directory with something other than a staged dataset
├── NotStaged             a directory without a staged dataset
└── UploadError
    ├── BucketNotFound
    ├── UploadDenied
    └── UploadFailed
"""

import difflib
import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import SconesError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DataError(SconesError):
    """Base of what reading, staging and uploading a dataset raises."""


class ArchiveError(DataError):
    """The dataset archive cannot be used."""


class ArchiveNotFound(ArchiveError):
    """There is no file or folder at the archive's path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no archive at {path}: specify cifar-100-python.tar.gz or its folder")


class UnreadableArchive(ArchiveError):
    """The operating system refuses to read the archive."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


class ArchiveCorrupt(ArchiveError):
    """The archive is damaged, or it is not CIFAR-100's python version."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is damaged or is not CIFAR-100's python version ({reason}): download it again")


class ArchiveTooLarge(ArchiveError):
    """The archive needs more memory or disk than CIFAR-100."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is refused: {reason}, which no CIFAR-100 archive has; download it again")


class UnsafeArchive(ArchiveError):
    """The archive contains something that could do harm; nothing of it was executed or written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is refused: {reason}, which no CIFAR-100 archive has; do not trust its origin")


class ClassNotFound(DataError):
    """The archive has no class of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        similar = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(similar)}?"
            if similar
            else f"it has {', '.join(known[:5])} and {max(0, len(known) - 5)} more"
        )
        super().__init__(f"the archive has no class '{name}': {hint}")


class DownloadError(DataError):
    """The archive could not be downloaded."""


class NoNetwork(DownloadError):
    """The server was not reached, or the connection broke too often; the next attempt resumes the download."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"cannot reach {url} ({reason}): go online, or download the archive elsewhere and set SCONES_CIFAR100 to it"
        )


class DownloadRefused(DownloadError):
    """The server responded with something other than the file."""

    def __init__(self, url: str, response: str) -> None:
        super().__init__(f"{url} responded {response}: download the archive elsewhere and set SCONES_CIFAR100 to it")


class ChecksumMismatch(DownloadError):
    """The downloaded file is another one than expected; it was deleted."""

    def __init__(self, url: str, expected: str, actual: str) -> None:
        super().__init__(f"the file from {url} has MD5 {actual} instead of {expected} and was deleted: try again")


class DiskFull(DataError):
    """There is too little disk space for a file."""

    def __init__(self, path: Path, bytes_needed: int | None = None) -> None:
        size = f", which needs {bytes_needed / 1e6:.0f} MB" if bytes_needed else ""
        super().__init__(f"no disk space for {path}{size}: free some space or choose another directory")


class WriteFailed(DataError):
    """A file or directory could not be written for another reason than a full disk."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot write {path}: {reason}")


class DestinationOccupied(DataError):
    """Staging would replace something that staging did not write."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists and is not a staged dataset: it is left unchanged; choose another directory or empty it"
        )


class NotStaged(DataError):
    """A directory holds no complete staged dataset."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} holds no complete staged dataset ({reason}): run `scones stage` again")


class UploadError(DataError):
    """Some files did not reach S3; the next run resumes the upload."""


class BucketNotFound(UploadError):
    """The bucket does not exist."""

    def __init__(self, bucket: str) -> None:
        super().__init__(f"there is no bucket '{bucket}': create it or name another one")


class UploadDenied(UploadError):
    """The credentials may not write to the bucket."""

    def __init__(self, bucket: str, action: str) -> None:
        super().__init__(f"{action} on bucket '{bucket}' is denied: check the credentials and the bucket's policy")


class UploadFailed(UploadError):
    """S3 responded with an error, or not at all."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"uploading to {uri} failed ({reason}): run the command again, it resumes the upload")


@contextmanager
def translate_write_errors(path: Path, bytes_needed: int | None = None) -> Iterator[None]:
    """Raise DiskFull or WriteFailed instead of the operating system's errors."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(path, bytes_needed) from error
        raise WriteFailed(path, error.strerror or str(error)) from error

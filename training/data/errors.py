"""What can go wrong with the data.

DataError
├── ArchiveError          the archive of pictures
│   ├── ArchiveNotFound
│   ├── ArchiveIsDirectory
│   ├── ArchiveUnreadable
│   ├── ArchiveCorrupt    truncated, not an archive, or not of CIFAR-100's layout
│   ├── ArchiveTooLarge   larger than any honest one
│   └── UnsafeArchive     contains what an honest one never does; refused, not executed
├── ClassNotFound
├── DownloadError
│   ├── NoNetwork
│   ├── DownloadRefused   the server answered something else than the file
│   └── ChecksumMismatch
├── DiskFull
├── WriteFailed
├── DestinationOccupied   a directory that holds something else than staged pictures
├── NotStaged             a directory without a readable manifest
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
    """Anything that keeps pictures from being read, staged or uploaded."""


class ArchiveError(DataError):
    """The archive of pictures cannot be used."""


class ArchiveNotFound(ArchiveError):
    """There is no file at the archive's path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no archive at {path}: give the path of cifar-100-python.tar.gz")


class ArchiveIsDirectory(ArchiveError):
    """The archive's path is a directory."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a directory: give the path of cifar-100-python.tar.gz itself, packed")


class ArchiveUnreadable(ArchiveError):
    """The operating system would not let the archive be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")


class ArchiveCorrupt(ArchiveError):
    """The archive is damaged, or it is not CIFAR-100's python version."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is damaged or is not CIFAR-100's python version ({reason}): download it again")


class ArchiveTooLarge(ArchiveError):
    """The archive wants more memory or disk than any honest one."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} is refused: {what}, which no CIFAR-100 archive has; download it again")


class UnsafeArchive(ArchiveError):
    """The archive contains something that could do harm; nothing of it was executed or written."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} is refused: {what}, which no CIFAR-100 archive has; do not trust where it came from")


class ClassNotFound(DataError):
    """A class was asked for that the archive does not know."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(close)}?"
            if close
            else f"it has {', '.join(known[:5])} and {max(0, len(known) - 5)} more"
        )
        super().__init__(f"the archive has no class {name!r}: {hint}")


class DownloadError(DataError):
    """The archive could not be fetched."""


class NoNetwork(DownloadError):
    """The server was not reached, or the connection broke too often; what came is kept for the next attempt."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"cannot reach {url} ({reason}): go online, or download the archive elsewhere and give its path"
        )


class DownloadRefused(DownloadError):
    """The server answered something else than the file."""

    def __init__(self, url: str, answer: str) -> None:
        super().__init__(f"{url} answered {answer}: download the archive elsewhere and give its path")


class ChecksumMismatch(DownloadError):
    """What was downloaded is not the file that was expected; it was thrown away."""

    def __init__(self, url: str, expected: str, found: str) -> None:
        super().__init__(
            f"{url} sent a file with MD5 {found} where {expected} was expected; it was thrown away: try again"
        )


class DiskFull(DataError):
    """There is no room for a file."""

    def __init__(self, path: Path, needed: int | None = None) -> None:
        room = f" (it needs {needed / 1e6:.0f} MB)" if needed else ""
        super().__init__(f"no room on the disk for {path}{room}: free some space or choose another place")


class WriteFailed(DataError):
    """A file or directory could not be written, for another reason than a full disk."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot write {path}: {reason}")


class DestinationOccupied(DataError):
    """Staging would replace something that it did not make."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists and holds no staged pictures: it is left alone; choose another directory or empty it"
        )


class NotStaged(DataError):
    """A directory was expected to hold staged pictures and does not."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} holds no complete set of staged pictures ({reason}): run `scones stage` again")


class UploadError(DataError):
    """The pictures did not all reach S3; the next run goes on where this one stopped."""


class BucketNotFound(UploadError):
    """The bucket does not exist."""

    def __init__(self, bucket: str) -> None:
        super().__init__(f"there is no bucket {bucket!r}: create it or name another one")


class UploadDenied(UploadError):
    """The credentials may not write there."""

    def __init__(self, bucket: str, action: str) -> None:
        super().__init__(f"{action} on bucket {bucket!r} is denied: check the credentials and the bucket's policy")


class UploadFailed(UploadError):
    """S3 answered with an error, or did not answer."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"uploading {target} failed ({reason}): run it again, it goes on where it stopped")


@contextmanager
def writing(path: Path, needed: int | None = None) -> Iterator[None]:
    """Turn the operating system's errors about writing ``path`` into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(path, needed) from error
        raise WriteFailed(path, error.strerror or str(error)) from error

"""Locates CIFAR-100's archive: at the configured path, in the cache, or at its official address.

Downloads with checksum, progress and resume; docs/dependencies.md says why no library does.
"""

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from training.data.directory_lock import lock_directory
from training.data.errors import (
    ArchiveNotFound,
    ChecksumMismatch,
    DiskFull,
    DownloadRefused,
    NoNetwork,
    translate_write_errors,
)

Progress = Callable[[int, int], None]

_ATTEMPTS = 4


@dataclass(frozen=True)
class RemoteFile:
    """A file on a server, with its size and checksum."""

    url: str
    size: int
    md5: str

    @property
    def name(self) -> str:
        """The file name in the cache."""
        return self.url.rsplit("/", 1)[-1]


OFFICIAL = RemoteFile(
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", 169_001_437, "eb9058c3a382ffc7106e4002c42a8d85"
)


def locate_archive(
    archive: Path | None,
    cache: Path,
    progress: Progress | None = None,
    *,
    client: httpx.Client | None = None,
    remote: RemoteFile = OFFICIAL,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Return the path of ``archive`` if it is set, else of the one in ``cache``, downloaded where it is missing.

    ``archive`` may also be the unpacked folder; its content is not checked here. A broken download is resumed, in this
    call and in the next. ``progress`` gets the number of bytes done and in all. Raises a DataError.
    """
    if archive is not None:
        if not archive.exists():
            raise ArchiveNotFound(archive)
        return archive
    path = cache / remote.name
    if _is_complete(path, remote):
        return path
    with translate_write_errors(cache):
        cache.mkdir(parents=True, exist_ok=True)
    with lock_directory(cache):
        if not _is_complete(path, remote):
            if client is None:
                with httpx.Client(follow_redirects=True, timeout=30) as own:
                    _download(own, remote, path, progress, sleep)
            else:
                _download(client, remote, path, progress, sleep)
    return path


def _is_complete(path: Path, remote: RemoteFile) -> bool:
    """Tell whether ``path`` is a finished download: only one with the right checksum gets that name."""
    return path.is_file() and path.stat().st_size == remote.size


def _download(
    client: httpx.Client, remote: RemoteFile, path: Path, progress: Progress | None, sleep: Callable[[float], None]
) -> None:
    partial = path.with_name(f"{path.name}.part")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _resume(client, remote, partial, progress)
            break
        except httpx.TransportError as error:
            if attempt == _ATTEMPTS:
                raise NoNetwork(remote.url, str(error) or type(error).__name__) from error
            sleep(2.0 ** (attempt - 1))
    checksum = _md5(partial)
    if checksum != remote.md5:
        partial.unlink()
        raise ChecksumMismatch(remote.url, remote.md5, checksum)
    with translate_write_errors(path):
        partial.replace(path)


def _resume(client: httpx.Client, remote: RemoteFile, partial: Path, progress: Progress | None) -> None:
    """Append to ``partial`` what is missing. Raises httpx.TransportError where the connection breaks."""
    with translate_write_errors(partial, remote.size), partial.open("ab") as file:
        size = file.tell()
        if size >= remote.size:
            return
        if shutil.disk_usage(partial.parent).free < remote.size - size:
            raise DiskFull(partial, remote.size - size)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={size}-"} if size else {})
        with client.stream("GET", remote.url, headers=headers) as response:
            if response.status_code == httpx.codes.OK:
                file.truncate(size := 0)
            elif response.status_code != httpx.codes.PARTIAL_CONTENT or not _starts_at(response, size):
                raise DownloadRefused(remote.url, f"{response.status_code} {response.reason_phrase}")
            _append(file, response, size, remote, progress)
    if partial.stat().st_size < remote.size:
        raise httpx.ReadError("the connection ended early")


def _starts_at(response: httpx.Response, position: int) -> bool:
    return str(response.headers.get("Content-Range", "")).startswith(f"bytes {position}-")


def _append(
    file: IO[bytes], response: httpx.Response, size: int, remote: RemoteFile, progress: Progress | None
) -> None:
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > remote.size:
            raise DownloadRefused(remote.url, f"with more than the {remote.size:,} bytes of the file")
        file.write(chunk)
        if progress:
            progress(size, remote.size)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

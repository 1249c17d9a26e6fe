"""Finds CIFAR-100's archive: where it was said to be, in the cache, or on its makers' server."""

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from training.data.directory_lock import alone
from training.data.errors import (
    ArchiveIsDirectory,
    ArchiveNotFound,
    ChecksumMismatch,
    DiskFull,
    DownloadRefused,
    NoNetwork,
    writing,
)

Progress = Callable[[int, int], None]

_ATTEMPTS = 4


@dataclass(frozen=True)
class Remote:
    """A file on a server, and how to know that it arrived whole."""

    url: str
    size: int
    md5: str

    @property
    def name(self) -> str:
        """The name under which it is kept."""
        return self.url.rsplit("/", 1)[-1]


OFFICIAL = Remote(
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", 169_001_437, "eb9058c3a382ffc7106e4002c42a8d85"
)


def locate(
    archive: Path | None,
    cache: Path,
    progress: Progress | None = None,
    *,
    client: httpx.Client | None = None,
    remote: Remote = OFFICIAL,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Return the archive's path: ``archive`` where given, else the one in ``cache``, else a fresh download kept there.

    An ``archive`` is taken as it is; a download must have the checksum of ``remote``. A broken download goes on where
    it stopped, in this call and in the next. ``progress`` gets bytes done and bytes in all. Raises a DataError.
    """
    if archive is not None:
        return _given(archive)
    path = cache / remote.name
    if _complete(path, remote):
        return path
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    with alone(cache):
        if not _complete(path, remote):
            if client is None:
                with httpx.Client(follow_redirects=True, timeout=30) as own:
                    _download(own, remote, path, progress, sleep)
            else:
                _download(client, remote, path, progress, sleep)
    return path


def _given(archive: Path) -> Path:
    if archive.is_dir():
        raise ArchiveIsDirectory(archive)
    if not archive.exists():
        raise ArchiveNotFound(archive)
    return archive


def _complete(path: Path, remote: Remote) -> bool:
    """Say whether ``path`` is a finished download; only one with the right checksum ever gets that name."""
    return path.is_file() and path.stat().st_size == remote.size


def _download(
    client: httpx.Client, remote: Remote, path: Path, progress: Progress | None, sleep: Callable[[float], None]
) -> None:
    part = path.with_name(f"{path.name}.part")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _fetch_rest(client, remote, part, progress)
            break
        except httpx.TransportError as error:
            if attempt == _ATTEMPTS:
                raise NoNetwork(remote.url, str(error) or type(error).__name__) from error
            sleep(2.0 ** (attempt - 1))
    found = _md5(part)
    if found != remote.md5:
        part.unlink()
        raise ChecksumMismatch(remote.url, remote.md5, found)
    with writing(path):
        part.replace(path)


def _fetch_rest(client: httpx.Client, remote: Remote, part: Path, progress: Progress | None) -> None:
    """Append to ``part`` what is missing of it. Raises httpx.TransportError where the connection breaks."""
    with writing(part, remote.size), part.open("ab") as file:
        have = file.tell()
        if have >= remote.size:
            return
        room = shutil.disk_usage(part.parent).free
        if room < remote.size - have:
            raise DiskFull(part, remote.size - have)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with client.stream("GET", remote.url, headers=headers) as answer:
            if answer.status_code == httpx.codes.OK:
                file.truncate(have := 0)
            elif answer.status_code != httpx.codes.PARTIAL_CONTENT or not _continues(answer, have):
                raise DownloadRefused(remote.url, f"{answer.status_code} {answer.reason_phrase}")
            _append(file, answer, have, remote, progress)
    if part.stat().st_size < remote.size:
        raise httpx.ReadError("the connection ended early")


def _continues(answer: httpx.Response, have: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _append(file: IO[bytes], answer: httpx.Response, have: int, remote: Remote, progress: Progress | None) -> None:
    for chunk in answer.iter_raw():
        have += len(chunk)
        if have > remote.size:
            raise DownloadRefused(remote.url, f"more than the {remote.size:,} bytes of the file")
        file.write(chunk)
        if progress:
            progress(have, remote.size)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

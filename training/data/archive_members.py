"""Reads the three files of CIFAR-100 from an archive or a folder as streams, without unpacking or trusting it.

The official .tar.gz, the .tar in it, a .zip as Kaggle offers it, or the unpacked folder: the content tells which.
"""

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from training.data.errors import ArchiveCorrupt, ArchiveNotFound, ArchiveTooLarge, UnreadableArchive, UnsafeArchive

NAMES: Final = ("train", "test", "meta")
MAX_MEMBER_BYTES = 256 << 20  # the largest file of CIFAR-100 has 155 MB
MAX_ARCHIVE_BYTES = 512 << 20  # uncompressed
MAX_MEMBERS = 100
_MAX_READ = 16 << 20  # tarfile reads a header of any announced length into memory
_CHUNK = 64 << 10
_BUFFER = 1 << 20

Member = tuple[str, IO[bytes]]


def read_members(path: Path) -> Iterator[Member]:
    """Yield the name of each of NAMES and its stream, in the archive's own order.

    The files are at the top or in one folder. Raises an ArchiveError for whatever is wrong with the archive, also for a
    checksum at its end.
    """
    with translate_read_errors(path):
        names: set[str] = set()
        for name, stream in _open_archive(path):
            if name in names:
                raise ArchiveCorrupt(path, f"it has two files {name}")
            names.add(name)
            yield name, stream


def _open_archive(path: Path) -> Iterator[Member]:
    if path.is_dir():
        return _folder_members(path)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PK\x03\x04":
        return _zip_members(path)
    return _tar_members(path, compressed=magic.startswith(b"\x1f\x8b"))


def _folder_members(folder: Path) -> Iterator[Member]:
    for name in NAMES:
        for path in (folder / name, *sorted(folder.glob(f"*/{name}"))):
            if path.is_file():
                _check_size(folder, name, path.stat().st_size)
                with path.open("rb") as stream:
                    yield name, stream


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_MEMBERS:
            raise ArchiveTooLarge(path, f"it has more than {MAX_MEMBERS} members")
        for entry in entries:
            name = _checked_name(path, entry.filename)
            if name is None or entry.is_dir():
                continue
            _check_size(path, name, entry.file_size)
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise _not_a_file(path, entry.filename)
            with archive.open(entry) as stream:
                yield name, stream


def _tar_members(path: Path, *, compressed: bool) -> Iterator[Member]:
    with path.open("rb") as file:
        stream = _ForwardStream(path, _inflate(path, file) if compressed else file.read)
        with tarfile.TarFile(fileobj=cast("IO[bytes]", stream)) as archive:
            for count, member in enumerate(archive, start=1):
                if count > MAX_MEMBERS:
                    raise ArchiveTooLarge(path, f"it has more than {MAX_MEMBERS} members")
                name = _checked_name(path, member.name)
                _check_size(path, member.name, member.size)
                if name is not None:
                    content = archive.extractfile(member) if member.isreg() and not member.issparse() else None
                    if content is None:
                        raise _not_a_file(path, member.name)
                    yield name, io.BufferedReader(cast("io.RawIOBase", content), _BUFFER)
        stream.read_to_end()


def _checked_name(path: Path, member: str) -> str | None:
    """Return which of NAMES the member is, if any. Raises UnsafeArchive if it points outside of the archive."""
    name = PurePosixPath(member)
    if name.is_absolute() or ".." in name.parts or "\\" in member:
        raise UnsafeArchive(path, f"its member {member[:80]!r} points outside of it")
    return name.name if name.name in NAMES and len(name.parts) <= 2 else None


def _check_size(path: Path, member: str, size: int) -> None:
    if size > MAX_MEMBER_BYTES:
        raise ArchiveTooLarge(path, f"its member {member[:80]!r} has {size:,} bytes")


def _not_a_file(path: Path, member: str) -> UnsafeArchive:
    return UnsafeArchive(path, f"its member {member[:80]!r} is a link or a special file")


@contextmanager
def translate_read_errors(path: Path) -> Iterator[None]:
    """Raise ArchiveErrors instead of those of the operating system, tarfile and zipfile."""
    try:
        yield
    except FileNotFoundError:
        raise ArchiveNotFound(path) from None
    except OSError as error:
        raise UnreadableArchive(path, error.strerror or str(error)) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ArchiveCorrupt(path, f"bad zip file: {error}"[:120]) from error
    except (tarfile.TarError, ValueError, LookupError, OverflowError) as error:
        raise ArchiveCorrupt(path, f"bad tar file: {error}"[:120]) from error


def _inflate(path: Path, file: IO[bytes]) -> Callable[[int], bytes]:
    """Return a function that reads at most so many uncompressed bytes, and none at the end of the gzip stream."""
    decompressor = zlib.decompressobj(wbits=31)
    compressed = b""

    def read(size: int) -> bytes:
        nonlocal compressed
        data = b""
        while not data and not decompressor.eof:
            compressed = compressed or file.read(_CHUNK)
            if not compressed:
                raise ArchiveCorrupt(path, "it ends in the middle")
            try:
                data = decompressor.decompress(compressed, size)
            except zlib.error as error:
                raise ArchiveCorrupt(path, f"bad gzip data: {error}") from None
            compressed = decompressor.unconsumed_tail
        return data

    return read


class _ForwardStream:
    """A stream for tarfile that only goes forwards, and no further than an honest archive."""

    def __init__(self, path: Path, read: Callable[[int], bytes]) -> None:
        self._path = path
        self._read = read
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        if position < self._position:
            raise UnsafeArchive(self._path, "its members overlap")
        while self._position < position and self.read(min(_BUFFER, position - self._position)):
            pass
        return self._position

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_READ:
            raise ArchiveTooLarge(self._path, f"it has a header of {size:,} bytes")
        parts = []
        while size and (part := self._read(size)):
            parts.append(part)
            size -= len(part)
            self._position += len(part)
            if self._position > MAX_ARCHIVE_BYTES:
                raise ArchiveTooLarge(self._path, f"it has more than {MAX_ARCHIVE_BYTES >> 20} MiB uncompressed")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_to_end(self) -> None:
        """Read to the end, where gzip has its checksum."""
        while self.read(_BUFFER):
            pass

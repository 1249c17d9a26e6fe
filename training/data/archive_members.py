"""Reads members of a .tar.gz as a stream, without unpacking it and without trusting it."""

import io
import tarfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from training.data.errors import (
    ArchiveCorrupt,
    ArchiveIsDirectory,
    ArchiveNotFound,
    ArchiveTooLarge,
    ArchiveUnreadable,
    UnsafeArchive,
)

MOST_MEMBER = 256 << 20  # the largest member of CIFAR-100 has 155 MB
MOST_INFLATED = 512 << 20
MOST_MEMBERS = 100
_MOST_AT_ONCE = 16 << 20  # tarfile reads a header of any announced length into memory
_CHUNK = 64 << 10
_BUFFER = 1 << 20


def members(path: Path, wanted: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the name and the stream of each of the ``wanted`` members, in the archive's own order.

    Raises an ArchiveError for whatever is wrong with the file, a broken checksum at its end included.
    """
    with reading(path), path.open("rb") as file:
        stream = _Inflated(path, file)
        with tarfile.TarFile(fileobj=cast("IO[bytes]", stream)) as tar:
            for count, member in enumerate(tar, start=1):
                if count > MOST_MEMBERS:
                    raise ArchiveTooLarge(path, f"it has more than {MOST_MEMBERS} members")
                name = _checked_name(path, member)
                if name in wanted:
                    yield name, _open(path, tar, member)
        stream.drain()


def _checked_name(path: Path, member: tarfile.TarInfo) -> str:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise UnsafeArchive(path, f"its member {member.name[:80]!r} points outside of it")
    if member.size > MOST_MEMBER:
        raise ArchiveTooLarge(path, f"its member {member.name[:80]!r} has {member.size:,} bytes")
    return str(name)


def _open(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if file is None:
        raise UnsafeArchive(path, f"its member {member.name[:80]!r} is a link or a special file")
    return io.BufferedReader(cast("io.RawIOBase", file), _BUFFER)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the operating system and tarfile say about the archive at ``path`` into ours."""
    try:
        yield
    except FileNotFoundError:
        raise ArchiveNotFound(path) from None
    except IsADirectoryError:
        raise ArchiveIsDirectory(path) from None
    except OSError as error:
        raise ArchiveUnreadable(path, error.strerror or str(error)) from error
    except (tarfile.TarError, ValueError, LookupError, OverflowError, RecursionError) as error:
        raise ArchiveCorrupt(path, f"bad tar file: {error}"[:120]) from error


class _Inflated:
    """The inflated bytes of a gzip file: forwards only, and no more of them than an honest archive has."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._inflate = zlib.decompressobj(wbits=31)
        self._input = b""
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
        if not 0 <= size <= _MOST_AT_ONCE:
            raise ArchiveTooLarge(self._path, f"it has a header of {size:,} bytes")
        parts = []
        while size and (part := self._some(size)):
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def drain(self) -> None:
        """Read to the end, where gzip keeps its checksum."""
        while self.read(_BUFFER):
            pass

    def _some(self, most: int) -> bytes:
        """Return at least one byte and at most ``most``, or nothing at the end."""
        data = b""
        while not data and not self._inflate.eof:
            if not self._input:
                self._input = self._file.read(_CHUNK)
                if not self._input:
                    raise ArchiveCorrupt(self._path, "it ends in the middle")
            try:
                data = self._inflate.decompress(self._input, most)
            except zlib.error as error:
                raise ArchiveCorrupt(self._path, f"bad gzip data: {error}") from None
            self._input = self._inflate.unconsumed_tail
        self._position += len(data)
        if self._position > MOST_INFLATED:
            raise ArchiveTooLarge(self._path, f"it inflates to more than {MOST_INFLATED >> 20} MiB")
        return data

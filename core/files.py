"""Files that are written completely or not at all, and checks before the work whose results they hold."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_writer(path: Path, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """Yield a binary file that replaces ``path`` when the block ends.

    Readers of ``path``, also after a crash, see the old file or the new one; an error in the block leaves
    the old one. ``durable`` waits until the disk has the content. The directory must exist. Raises OSError.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    except OSError as error:
        error.filename = str(path)
        raise
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a failed write, as on a full disk, does not name the file
        raise


def write_atomically(path: Path, content: bytes | str, *, durable: bool = False) -> None:
    """Replace the content of ``path``, text as UTF-8, as :func:`atomic_writer` does. Raises OSError."""
    with atomic_writer(path, durable=durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def ensure_writable_folder(folder: Path) -> None:
    """Create a folder unless it exists, and check that it takes files. Raises OSError, which names it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        error.filename = str(folder)
        raise


def ensure_writable_file(path: Path) -> None:
    """Check that a file can be written, with its folder created unless it exists. Raises OSError, which names it."""
    ensure_writable_folder(path.parent)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _umask() -> int:
    """Return the process's mask for new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

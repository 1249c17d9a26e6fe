"""A lock between processes that write to one directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.data.errors import translate_write_errors


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Wait for the lock and hold it; the operating system releases it when the process ends."""
    with translate_write_errors(directory):
        descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""One process at a time in a directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.data.errors import writing


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Wait until no other process is alone in ``directory``; the system ends the lock with the process."""
    with writing(directory):
        handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

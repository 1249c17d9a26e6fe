"""The folder a stack lives in: its state, its lock, its logs and what it throws away when it stops."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import IO

from emulation.errors import AlreadyRunning
from emulation.processes.environment_state import EnvironmentState

_CHECKERS_SECONDS = 1.0


class StateDirectory:
    """``root`` holds ``stack.json`` while a stack is up, ``stack.lock``, ``logs/`` and, while it runs, ``run/``."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.logs = self.root / "logs"
        self.run = self.root / "run"
        self._state_file = self.root / "stack.json"
        self._lock_file = self.root / "stack.lock"
        self._lock: IO[str] | None = None

    def claim(self) -> bool:
        """Make the home this process's own, until ``release`` or the process's end, however it ends.

        Returns whether an earlier stack left in a hurry. Raises AlreadyRunning where another stack lives here.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        lock = self._lock_file.open("a+")
        if not _lock_within(lock, _CHECKERS_SECONDS):
            lock.close()
            raise AlreadyRunning(self.root, self.read_state())
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        left_in_a_hurry = self._state_file.exists() or self.run.exists()
        self._clear()
        self.logs.mkdir(exist_ok=True)
        self.run.mkdir()
        return left_in_a_hurry

    def release(self) -> None:
        """Throw away what a stack keeps only while it runs, and let another one in."""
        if self._lock is not None:
            self._clear()
            self._lock.close()
            self._lock = None

    def owner(self) -> int | None:
        """Return the process that has claimed this home, None where nobody has."""
        try:
            with self._lock_file.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read() or 0) or None
        except FileNotFoundError:
            pass
        return None

    def read_state(self) -> EnvironmentState | None:
        """Return what the stack here says about itself, None where it is not up yet."""
        try:
            return EnvironmentState.from_json(self._state_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def write_state(self, state: EnvironmentState) -> None:
        """Say that the stack is up: whoever reads sees all of it or nothing."""
        unfinished = self._state_file.with_suffix(".unfinished")
        unfinished.write_text(state.to_json())
        unfinished.replace(self._state_file)

    def _clear(self) -> None:
        self._state_file.unlink(missing_ok=True)
        shutil.rmtree(self.run, ignore_errors=True)


def _lock_within(lock: IO[str], seconds: float) -> bool:
    """Take the lock; wait a moment for those who hold it shared, which they do only to look."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True

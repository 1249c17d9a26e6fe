"""The state directory of a local environment: its state, lock, logs and temporary files."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import IO

from core.files import write_atomically
from emulation.errors import AlreadyRunning
from emulation.processes.environment_state import EnvironmentState

_CHECKERS_SECONDS = 1.0


class StateDirectory:
    """``root`` has ``environment.lock`` and ``logs/``; while an environment runs, ``environment.json`` and ``run/``."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.logs = self.root / "logs"
        self.run = self.root / "run"
        self._state_file = self.root / "environment.json"
        self._lock_file = self.root / "environment.lock"
        self._lock: IO[str] | None = None

    def claim(self) -> bool:
        """Lock the directory for this process, until ``release`` or the process's exit.

        Returns whether an earlier environment was killed. Raises AlreadyRunning if another one uses the directory.
        """
        self.make_logs()
        lock = self._lock_file.open("a+")
        if not _lock_within(lock, _CHECKERS_SECONDS):
            lock.close()
            raise AlreadyRunning(self.root, self.read_state())
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        unclean = self._state_file.exists() or self.run.exists()
        self._clear()
        self.run.mkdir()
        return unclean

    def make_logs(self) -> None:
        """Make the directory and its logs, which no other user may read."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        self.logs.mkdir(exist_ok=True)

    def release(self) -> None:
        """Delete the state and the temporary files, and unlock the directory."""
        if self._lock is not None:
            self._clear()
            self._lock.close()
            self._lock = None

    def owner(self) -> int | None:
        """Return the process that holds the lock, or None if none does, or if it is not a directory."""
        try:
            with self._lock_file.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read() or 0) or None
        except (FileNotFoundError, NotADirectoryError):
            pass
        return None

    def read_state(self) -> EnvironmentState | None:
        """Return the state of the running environment, or None while it starts."""
        try:
            return EnvironmentState.from_json(self._state_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def write_state(self, state: EnvironmentState) -> None:
        """Write the state of the running environment."""
        write_atomically(self._state_file, state.to_json())

    def _clear(self) -> None:
        self._state_file.unlink(missing_ok=True)
        shutil.rmtree(self.run, ignore_errors=True)


def _lock_within(lock: IO[str], seconds: float) -> bool:
    """Take the lock, waiting for those that hold it shared for a moment to read the owner."""
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

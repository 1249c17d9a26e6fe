"""Ends this process when its parent is gone, however the parent ended."""

import os
import signal
import threading
import time
from typing import Final

GRACE_SECONDS: Final = 5.0


def watch_parent(parent_pipe: int | None) -> None:
    """Watch the parent from a daemon thread, by a pipe of which the parent alone has the write end."""
    if parent_pipe is not None:
        threading.Thread(target=_wait_for_parent, args=(parent_pipe,), name="parent-watcher", daemon=True).start()


def _wait_for_parent(parent_pipe: int) -> None:
    while os.read(parent_pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)

"""Ends this process when its parent is gone, however the parent ended."""

import os
import signal
import threading
import time
from typing import Final

VARIABLE: Final = "SCONES_PARENT_PIPE_FD"
GRACE_SECONDS: Final = 5.0


def watch_parent() -> None:
    """Watch the parent from a daemon thread, where SCONES_PARENT_PIPE_FD has the read end of the parent's pipe.

    The pipe's write end closes with the parent. The variable is removed: a child process does not have the descriptor.
    """
    descriptor = os.environ.pop(VARIABLE, None)
    if descriptor is not None:
        threading.Thread(target=_wait_for_parent, args=(int(descriptor),), name="parent-watcher", daemon=True).start()


def _wait_for_parent(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)

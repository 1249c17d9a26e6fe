"""Terminates a child process when its parent dies, however that happens: SIGTERM, SIGKILL or a crash.

The parent holds the write end of a pipe, the child the read end; the operating system closes the write end when the
parent dies, and the child reads end-of-file. It lives in this package, on the standard library alone, because
LocalStack runs in its own environment and needs it there.
"""

import os
import signal
import threading
import time

from .settings import take_parent_pipe

GRACE_SECONDS = 3.0


def watch(grace: float = GRACE_SECONDS) -> None:
    """Start a daemon thread that terminates this process when its parent dies. Without a parent pipe, do nothing.

    SIGTERM comes first; ``grace`` seconds later the process exits in any case.
    """
    descriptor = take_parent_pipe()
    if descriptor is None:
        return
    threading.Thread(target=_wait_for_parent, args=(descriptor, grace), name="parent-watcher", daemon=True).start()


def _wait_for_parent(descriptor: int, grace: float) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)

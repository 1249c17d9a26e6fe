"""Ends a process when its parent is gone, however the parent died: SIGTERM, SIGKILL or a crash.

The parent holds the write end of a pipe, the child the read end; the operating system closes the write end when the
parent ends, and the child reads end-of-file. It lives in this package, on the standard library alone, because
LocalStack runs in an environment of its own and needs it there.
"""

import os
import signal
import threading
import time

VARIABLE = "SCONES_LIFELINE_FD"
GRACE_SECONDS = 3.0


def watch(grace: float = GRACE_SECONDS) -> None:
    """Start a daemon thread that ends this process when its parent is gone; do nothing where there is no parent_pipe.

    The process is asked with SIGTERM first and ends hard ``grace`` seconds later. The variable is removed from the
    environment: the descriptor it names means nothing to a grandchild.
    """
    descriptor = os.environ.pop(VARIABLE, None)
    if descriptor is None:
        return
    threading.Thread(target=_wait_for_parent, args=(int(descriptor), grace), name="parent_pipe", daemon=True).start()


def _wait_for_parent(descriptor: int, grace: float) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)

"""Ends this process when the one that started it is gone, however that one ended."""

import os
import signal
import threading
import time
from typing import Final

VARIABLE: Final = "SCONES_PARENT_PIPE_FD"
GRACE_SECONDS: Final = 5.0


def watch() -> None:
    """Watch the parent from a daemon thread, where it handed down the read end of a pipe in SCONES_PARENT_PIPE_FD.

    The pipe's other end closes with the parent. The variable is removed: the number means nothing to a child of ours.
    """
    descriptor = os.environ.pop(VARIABLE, None)
    if descriptor is not None:
        threading.Thread(target=_end_after, args=(int(descriptor),), name="lifeline", daemon=True).start()


def _end_after(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)

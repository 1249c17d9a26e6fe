"""Postpones Python's garbage collection until LocalStack has loaded its services.

Importing and deploying make some million objects that stay. Each full collection visits them all: on 2 cores, a first
deployment spent 2.9 of LocalStack's 7.4 CPU seconds there. Frozen, they are not visited again either.
"""

import ctypes
import gc
import threading
import time

_YOUNG_OBJECTS = 20_000
"""Objects made before the youngest are collected. Python's 700 make 30 times as many collections of them."""
_SECONDS = 60


def postpone() -> None:
    """Collect nothing until ``resume``."""
    gc.disable()


def resume() -> None:
    """Collect again, but nothing of what is there by now, and everything else once a minute.

    By its own rule, Python would collect the oldest objects after millions of new ones: hours of executions. The C
    library is asked to return the memory that becomes free: it kept 5 of the 11 KB by which an execution let LocalStack
    grow (1,500 executions, November 2026).
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
    gc.enable()
    threading.Thread(target=_collect_all, name="garbage-collection", daemon=True).start()


def _collect_all() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
    while True:
        time.sleep(_SECONDS)
        gc.collect()
        if trim is not None:
            trim(0)

"""How long to wait for AWS, and how often to poll."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class WaiterConfig:
    """``timeout_seconds`` in all, ``poll_seconds`` between requests. Tests pass their own clock and sleep."""

    timeout_seconds: float = 1800.0
    poll_seconds: float = 3.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

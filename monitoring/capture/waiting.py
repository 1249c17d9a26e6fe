"""Waits for captures: SageMaker writes them a minute or two after the inference."""

import time
from datetime import datetime, timedelta
from typing import Any

from monitoring.capture.reader import Place, Reading
from monitoring.errors import CaptureIncomplete

_CLOCK_SKEW = timedelta(seconds=2)


def wait_for(s3: Any, place: Place, since: datetime, expected: int, *, timeout: float, poll: float = 0.5) -> int:
    """Wait until ``expected`` inferences since ``since`` are captured and return how many there are.

    Times are compared to the second, which is what a record keeps. Raises CaptureIncomplete after ``timeout`` seconds.
    """
    start = since.replace(microsecond=0) - _CLOCK_SKEW
    deadline = time.monotonic() + timeout
    while True:
        captured = sum(1 for _ in Reading(s3, place, start))
        if captured >= expected:
            return captured
        if time.monotonic() > deadline:
            raise CaptureIncomplete(captured, expected, timeout)
        time.sleep(poll)

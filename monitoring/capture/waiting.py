"""Waits for captures: SageMaker writes them a minute or two after the inference."""

from datetime import datetime, timedelta
from typing import Any

from core.waiting import WaiterConfig
from monitoring.capture.location import CaptureLocation
from monitoring.capture.reader import CaptureReader
from monitoring.errors import CaptureIncomplete

_CLOCK_SKEW = timedelta(seconds=2)


def wait_for_captures(s3: Any, location: CaptureLocation, since: datetime, expected: int, waiter: WaiterConfig) -> int:
    """Wait until ``expected`` inferences since ``since`` are captured and return their number.

    Times are compared to the second, as records have them. Raises CaptureIncomplete after the timeout.
    """
    start = since.replace(microsecond=0) - _CLOCK_SKEW
    deadline = waiter.clock() + waiter.timeout_seconds
    while True:
        captured = sum(1 for _ in CaptureReader(s3, location, start))
        if captured >= expected:
            return captured
        if waiter.clock() > deadline:
            raise CaptureIncomplete(captured, expected, waiter.timeout_seconds)
        waiter.sleep(waiter.poll_seconds)

from datetime import UTC, datetime

import pytest

from core.waiting import WaiterConfig
from monitoring.capture import wait_for_captures
from monitoring.errors import CaptureIncomplete
from tests.monitoring.captures import LOCATION, FakeS3, file, key, line


def test_missing_captures_are_an_error_that_counts_them() -> None:
    now = datetime.now(UTC)
    s3 = FakeS3({key(now): file(line("one", now), line("one", now))})
    assert wait_for_captures(s3, LOCATION, now, 1, WaiterConfig(timeout_seconds=0)) == 1
    with pytest.raises(CaptureIncomplete, match="1 of 3"):
        wait_for_captures(s3, LOCATION, now, 3, WaiterConfig(timeout_seconds=0))

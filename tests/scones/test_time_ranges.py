from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer

from scones.time_ranges import TimeRange

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ((None, None, None), NOW - timedelta(days=1), None),
        (("90s", None, None), NOW - timedelta(seconds=90), None),
        (("7d", None, None), NOW - timedelta(days=7), None),
        (("1h", None, "2026-03-01T06:00"), NOW - timedelta(hours=7), NOW - timedelta(hours=6)),
        ((None, "2026-03-01T06:00+02:00", None), NOW - timedelta(hours=8), None),
    ],
)
def test_a_time_range_is_read(words: tuple[Any, Any, Any], since: datetime, until: datetime | None) -> None:
    assert TimeRange.parse(*words, NOW) == TimeRange(since, until)


@pytest.mark.parametrize(
    "words",
    [
        ("1h", "2026-03-01", None),
        ("1 hour", None, None),
        ("0h", None, None),
        (None, "noon", None),
        (None, "2027-01-01", None),
    ],
)
def test_a_time_range_that_is_malformed_is_refused(words: tuple[Any, Any, Any]) -> None:
    with pytest.raises(typer.BadParameter):
        TimeRange.parse(*words, NOW)

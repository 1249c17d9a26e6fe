from datetime import timedelta

import pytest

from core.durations import parse_duration
from core.errors import InvalidDuration


@pytest.mark.parametrize(
    ("text", "duration"),
    [("30m", timedelta(minutes=30)), ("4h", timedelta(hours=4)), (" 2d\n", timedelta(days=2))],
)
def test_minutes_hours_and_days_are_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "0h", "4", "h", "-1h", "1.5h", "4 h", "4H", "10000m", "4h30m"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidDuration, match="30m, 4h or 2d"):
        parse_duration(text)

from datetime import timedelta

import pytest

from core.durations import parse_duration
from core.errors import InvalidDuration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        (" 2d\n", timedelta(days=2)),
    ],
)
def test_a_number_with_its_unit_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "0h", "4", "h", "-1h", "1.5h", "4 h", "4H", "1000000m", "10000d", "4h30m"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidDuration, match="30m, 4h or 2d"):
        parse_duration(text)

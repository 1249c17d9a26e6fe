"""Durations as people write them."""

import re
from datetime import timedelta

from core.errors import InvalidDuration

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=9999)


def parse_duration(text: str) -> timedelta:
    """Read ``90s``, ``30m``, ``4h`` or ``2d``. Raises InvalidDuration."""
    match = _DURATION.fullmatch(text.strip())
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    if duration is None or duration > _LONGEST:
        raise InvalidDuration(text)
    return duration

"""Durations as people write them."""

import re
from datetime import timedelta

from core.errors import InvalidDuration

_DURATION = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """Read ``30m``, ``4h`` or ``2d``. Raises InvalidDuration."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InvalidDuration(text)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})

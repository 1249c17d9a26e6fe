"""NAME=VALUE, as command lines and environment variables have it."""

from collections.abc import Iterable

from core.errors import InvalidNamedValue


def parse_named_values(items: Iterable[str]) -> dict[str, str]:
    """Read NAME=VALUE items; a later one wins. Raises InvalidNamedValue."""
    values = {}
    for item in items:
        name, separator, value = item.partition("=")
        if not separator or not name:
            raise InvalidNamedValue(item)
        values[name] = value
    return values

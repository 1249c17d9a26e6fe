"""The metrics of a training job: what its MetricDefinitions find in its log."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_MAX_LINE = 4096


class Metrics:
    """Reads lines and keeps the last value of each metric; the first group of its pattern is the value."""

    def __init__(self, definitions: Iterable[Mapping[str, str]], now: Callable[[], float]) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._now = now
        self._last: dict[str, dict[str, Any]] = {}

    def read(self, line: str) -> None:
        """Take what the line says; what is no number is left out."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(line[:_MAX_LINE]):
                value = _number(match)
                if value is not None:
                    self._last[name] = {"MetricName": name, "Value": value, "Timestamp": self._now()}

    def final(self) -> list[dict[str, Any]]:
        """Return FinalMetricDataList."""
        return list(self._last.values())


def problem(definitions: Iterable[Mapping[str, str]]) -> str | None:
    """Return what is wrong with the first pattern that is none."""
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except (re.error, RecursionError, OverflowError) as error:
            return f"MetricDefinition {definition['Name']} has an invalid regular expression: {error}"
    return None


def _number(match: re.Match[str]) -> float | None:
    try:
        value = float(match[1] if match.re.groups else match[0])
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None

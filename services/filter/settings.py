"""Reads the function's environment variables.

THRESHOLD  a number in 0.5..1, by default 0.94
LABELS     the two labels in the order of the inferences, separated by a comma, by default "bicycle,motorcycle"
"""

import os
import re
from collections.abc import Mapping

from errors import InvalidConfiguration, quoted

DEFAULT_THRESHOLD = "0.94"
DEFAULT_LABELS = "bicycle,motorcycle"
_LABEL = re.compile(r"[A-Za-z0-9_-]+")


def threshold(environ: Mapping[str, str] = os.environ) -> float:
    """Return the threshold of executions whose input has none. Raises InvalidConfiguration."""
    return parse_threshold(environ.get("THRESHOLD", DEFAULT_THRESHOLD))


def labels(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return the two labels. Raises InvalidConfiguration."""
    return parse_labels(environ.get("LABELS", DEFAULT_LABELS))


def parse_threshold(text: str) -> float:
    """Return the threshold. Every confidence is at least 0.5, so that a lower threshold is refused as a mistake."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.5 <= number <= 1:
        raise InvalidConfiguration(f"THRESHOLD must be a number in 0.5..1, got {quoted(text)}: unset it to use 0.94")
    return number


def parse_labels(text: str) -> tuple[str, str]:
    """Return the two labels. Raises InvalidConfiguration."""
    names = text.split(",")
    if len(names) != 2 or names[0] == names[1] or not all(map(_LABEL.fullmatch, names)):
        raise InvalidConfiguration(
            f"LABELS must be two different names separated by a comma, got {quoted(text)}: "
            "unset it to use bicycle,motorcycle"
        )
    return names[0], names[1]

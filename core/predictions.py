"""Rules for predictions that hold in every package.

The Lambdas in ``services/`` repeat SUM_TOLERANCE and DEFAULT_THRESHOLD, because they import nothing of the repository;
``tests/core/test_predictions.py`` holds that the values are the same.
"""

import math
from collections.abc import Sequence
from typing import Final

DEFAULT_THRESHOLD: Final = 0.94
"""The confidence from which a prediction is accepted without review, where none is configured."""

NEITHER_CONFIDENCE: Final = 0.75
"""Below it, an image probably shows neither class. A model that knows neither, with probability q, predicts
(1 - q) p + q / 2: a sure label and a q over a half come out below 0.75."""

SUM_TOLERANCE: Final = 1e-3
"""How far the sum of the two probabilities may be from 1: an endpoint may return float32 with few decimals."""


def is_probability_pair(values: Sequence[object]) -> bool:
    """Tell whether ``values`` are two numbers in 0..1 that sum to 1 within SUM_TOLERANCE. NaN is in no range."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return (
        len(values) == len(numbers) == 2
        and all(0 <= number <= 1 for number in numbers)
        and math.isclose(sum(numbers), 1, rel_tol=0, abs_tol=SUM_TOLERANCE)
    )

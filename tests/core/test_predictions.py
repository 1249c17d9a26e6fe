import re
from pathlib import Path

import pytest

from core.predictions import DEFAULT_THRESHOLD, SUM_TOLERANCE, is_probability_pair

SERVICES = Path(__file__).parents[2] / "services"


@pytest.mark.parametrize("values", [[0.9, 0.1], [1, 0], (0.5, 0.5), [0.9996, 0.0]])
def test_two_probabilities_that_sum_to_one_are_a_pair(values: list[float]) -> None:
    assert is_probability_pair(values)


@pytest.mark.parametrize(
    "values", [[], [1.0], [0.9, 0.2], [1.1, -0.1], [float("nan"), 0.5], [True, False], ["0.9", "0.1"], [0.2, 0.3, 0.5]]
)
def test_anything_else_is_not(values: list[object]) -> None:
    assert not is_probability_pair(values)


def constant(service: str, file: str, name: str) -> float:
    """Read a number that is assigned in a Lambda's source, which cannot be imported next to another Lambda's."""
    match = re.search(rf'^{name} = "?([0-9.e-]+)"?$', (SERVICES / service / file).read_text("utf-8"), re.MULTILINE)
    assert match is not None, f"services/{service}/{file} assigns no number to {name}"
    return float(match[1])


def test_the_lambdas_use_the_same_tolerance_and_threshold() -> None:
    assert constant("classify", "endpoint.py", "SUM_TOLERANCE") == SUM_TOLERANCE
    assert constant("filter", "handler.py", "SUM_TOLERANCE") == SUM_TOLERANCE
    assert constant("filter", "settings.py", "DEFAULT_THRESHOLD") == DEFAULT_THRESHOLD

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.calibration import calibration
from monitoring.evaluation import Answer

ANSWERS = st.lists(
    st.builds(lambda label, p: Answer(label, (p, 1 - p)), st.integers(0, 1), st.floats(0, 1, allow_nan=False)),
    max_size=60,
)


def answers(confidence: float, right: int, wrong: int) -> list[Answer]:
    said = (confidence, 1 - confidence)
    return [Answer(0, said)] * right + [Answer(1, said)] * wrong


def test_answers_that_are_right_as_often_as_they_say_have_no_error() -> None:
    assert calibration(answers(0.8, 4, 1) + answers(0.9, 9, 1)).ece == pytest.approx(0, abs=1e-9)


def test_the_error_is_the_distance_weighted_by_the_answers() -> None:
    found = calibration(answers(0.8, 1, 1) + answers(0.99, 6, 0))
    assert found.ece == pytest.approx((2 * 0.3 + 6 * 0.01) / 8)
    assert [(each.accuracy.n, each.accuracy.successes) for each in found.bins] == [(2, 1), (6, 6)]


@settings(deadline=None)
@given(ANSWERS)
def test_every_answer_is_in_one_bin_that_holds_its_confidence(given_answers: list[Answer]) -> None:
    found = calibration(given_answers)
    assert sum(each.accuracy.n for each in found.bins) == len(given_answers)
    assert all(each.low - 1e-9 <= each.confidence <= each.high + 1e-9 for each in found.bins)


def test_of_nothing_there_is_no_error() -> None:
    assert math.isnan(calibration([]).ece)


def test_bins_are_of_equal_width_from_a_half_to_one_and_an_edge_belongs_to_the_bin_above() -> None:
    found = calibration(answers(0.5, 1, 0) + answers(0.75, 1, 0) + answers(1.0, 1, 0), bins=2)
    assert [(each.low, each.high, each.accuracy.n) for each in found.bins] == [(0.5, 0.75, 1), (0.75, 1.0, 2)]

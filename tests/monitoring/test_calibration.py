import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.calibration import calibration
from monitoring.evaluation import Prediction

PREDICTIONS = st.lists(
    st.builds(lambda label, p: Prediction(label, (p, 1 - p)), st.integers(0, 1), st.floats(0, 1, allow_nan=False)),
    max_size=60,
)


def predictions(confidence: float, right: int, wrong: int) -> list[Prediction]:
    text = (confidence, 1 - confidence)
    return [Prediction(0, text)] * right + [Prediction(1, text)] * wrong


def test_predictions_that_are_right_as_often_as_they_say_have_no_error() -> None:
    assert calibration(predictions(0.8, 4, 1) + predictions(0.9, 9, 1)).ece == pytest.approx(0, abs=1e-9)


def test_the_error_is_the_distance_weighted_by_the_predictions() -> None:
    result = calibration(predictions(0.8, 1, 1) + predictions(0.99, 6, 0))
    assert result.ece == pytest.approx((2 * 0.3 + 6 * 0.01) / 8)
    assert [(each.accuracy.n, each.accuracy.successes) for each in result.bins] == [(2, 1), (6, 6)]


@settings(deadline=None)
@given(PREDICTIONS)
def test_every_prediction_is_in_one_bin_that_holds_its_confidence(given_predictions: list[Prediction]) -> None:
    result = calibration(given_predictions)
    assert sum(each.accuracy.n for each in result.bins) == len(given_predictions)
    assert all(each.low - 1e-9 <= each.confidence <= each.high + 1e-9 for each in result.bins)


def test_of_nothing_there_is_no_error() -> None:
    assert math.isnan(calibration([]).ece)


def test_bins_are_of_equal_width_from_a_half_to_one_and_an_edge_belongs_to_the_bin_above() -> None:
    result = calibration(predictions(0.5, 1, 0) + predictions(0.75, 1, 0) + predictions(1.0, 1, 0), bins=2)
    assert [(each.low, each.high, each.accuracy.n) for each in result.bins] == [(0.5, 0.75, 1), (0.75, 1.0, 2)]

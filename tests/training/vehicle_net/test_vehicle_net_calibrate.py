import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from training.vehicle_net.calibrate import Calibration, fit
from training.vehicle_net.metrics import Score, expected_calibration_error, reliability, wilson


def answers_of(slope: float, images: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logit differences, and labels as likely as `slope` times them says."""
    dice = np.random.default_rng(1)
    margins = dice.normal(0, 3, images)
    return margins, (dice.random(images) < expit(slope * margins)).astype(np.int64)


@pytest.mark.parametrize("slope", [0.3, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(slope: float) -> None:
    assert fit(*answers_of(slope)).temperature == pytest.approx(1 / slope, rel=0.05)


def test_overconfident_answers_become_honest() -> None:
    margins, labels = answers_of(0.4)
    raw = expected_calibration_error(Calibration().probabilities(margins), labels)
    calibrated = expected_calibration_error(fit(margins, labels).probabilities(margins), labels)
    assert raw > 0.1
    assert calibrated < 0.02


def test_calibration_never_changes_which_answer_is_given() -> None:
    margins, labels = answers_of(0.4)
    given_answers = fit(margins, labels).probabilities(margins).argmax(axis=1)
    np.testing.assert_array_equal(given_answers, (margins > 0).astype(int))


def test_the_fit_stays_finite_where_every_answer_is_right() -> None:
    margins = np.array([-5.0, -4.0, 4.0, 5.0] * 10)
    found = fit(margins, (margins > 0).astype(np.int64))
    assert 0.1 < found.temperature < 10
    assert found.probabilities(margins).max() < 1


@given(st.floats(-50, 50), st.floats(0.05, 20))
def test_probabilities_sum_to_one_and_rise_with_the_margin(margin: float, temperature: float) -> None:
    first, second = Calibration(temperature).probabilities(np.array([margin, margin + 1.0]))
    assert first.sum() == pytest.approx(1)
    assert second[1] >= first[1]


def test_labels_are_smoothed_as_platt_proposes() -> None:
    # Where all margins are of one size, the best sigmoid is the mean target: 4/5 of the motorcycles, 1/7 of the others.
    margins = np.array([2.0] * 3 + [-2.0] * 5)
    labels = (margins > 0).astype(np.int64)
    sure = (3 * 4 / 5 + 5 * (1 - 1 / 7)) / 8
    assert fit(margins, labels).probabilities(np.array([2.0]))[0, 1] == pytest.approx(sure, abs=1e-4)


def test_the_description_names_the_method() -> None:
    assert Calibration(1.5).to_dict() == {"method": "temperature", "temperature": 1.5}


def test_wilson_intervals_are_those_of_the_textbook() -> None:
    assert wilson(98, 100) == pytest.approx((0.9300, 0.9945), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_score_counts_what_the_threshold_lets_through() -> None:
    probabilities = np.array([[0.94, 0.06], [0.05, 0.95], [0.07, 0.93], [0.98, 0.02]])
    score = Score.of(probabilities, np.array([0, 1, 0, 1]))
    assert (score.images, score.correct, score.accepted, score.accepted_correct) == (4, 2, 3, 2)
    assert score.coverage == 0.75


def test_calibration_error_is_the_gap_weighted_by_images() -> None:
    probabilities = np.array([[0.92, 0.08]] * 4)
    labels = np.array([0, 0, 0, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.17)
    assert reliability(probabilities, labels)[0] == pytest.approx((0.92, 0.75, 1.0))

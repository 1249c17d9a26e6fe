import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from training.vehicle_net.calibrate import Calibration, excess, fit
from training.vehicle_net.metrics import Accepted, Score, expected_calibration_error, reliability, wilson


def logits_of(margins: np.ndarray) -> np.ndarray:
    """Logits (N, 2) with these differences."""
    return np.stack([np.zeros_like(margins), margins], axis=1)


def logits_and_labels(slope: float, shift: float = 0.0, images: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels as likely as `slope` times their differences from `shift` says."""
    random = np.random.default_rng(1)
    margins = random.normal(0, 3, images)
    return logits_of(margins), (random.random(images) < expit(slope * (margins - shift))).astype(np.int64)


@pytest.mark.parametrize(("slope", "shift"), [(0.3, 0.0), (1.0, 0.7), (2.5, -1.2)])
def test_the_temperature_and_shift_that_made_the_labels_are_found(slope: float, shift: float) -> None:
    result = fit(*logits_and_labels(slope, shift))
    assert result.temperature == pytest.approx(1 / slope, rel=0.05)
    assert result.shift == pytest.approx(shift, abs=0.1)


def test_overconfident_probabilities_are_calibrated() -> None:
    logits, labels = logits_and_labels(0.4)
    raw = expected_calibration_error(Calibration().probabilities(logits), labels)
    calibrated = expected_calibration_error(fit(logits, labels).probabilities(logits), labels)
    assert raw > 0.1
    assert calibrated < 0.02


def test_a_shifted_calibration_gets_more_labels_right_than_the_logits() -> None:
    logits, labels = logits_and_labels(1.0, 1.5)
    calibrated = fit(logits, labels).probabilities(logits).argmax(axis=1)
    assert (calibrated == labels).mean() > (logits.argmax(axis=1) == labels).mean() + 0.01


def test_both_labels_are_equally_likely_at_the_shift() -> None:
    assert Calibration(0.5, 2.0).probabilities(logits_of(np.array([2.0]))).tolist() == [[0.5, 0.5]]


def test_the_fit_stays_finite_where_every_prediction_is_right() -> None:
    margins = np.array([-5.0, -4.0, 4.0, 5.0] * 10)
    result = fit(logits_of(margins), (margins > 0).astype(np.int64))
    assert 0.1 < result.temperature < 10
    assert result.probabilities(logits_of(margins)).max() < 1


@given(st.floats(-50, 50), st.floats(0.05, 20))
def test_probabilities_sum_to_one_and_rise_with_the_margin(margin: float, temperature: float) -> None:
    first, second = Calibration(temperature).probabilities(logits_of(np.array([margin, margin + 1.0])))
    assert first.sum() == pytest.approx(1)
    assert second[1] >= first[1]


def test_labels_are_smoothed_as_platt_proposes() -> None:
    # Where margins have two values, the best sigmoid meets both targets: 4/5 of the motorcycles, 1/7 of the others.
    margins = np.array([2.0] * 3 + [-2.0] * 5)
    labels = (margins > 0).astype(np.int64)
    result = fit(logits_of(margins), labels).probabilities(logits_of(np.array([2.0, -2.0])))
    assert result[:, 1] == pytest.approx([4 / 5, 1 / 7], abs=1e-4)


def with_neither(excess: np.ndarray) -> np.ndarray:
    """Logits (N, 3), sure of label 1, whose third exceeds the others together by so much."""
    return np.stack([np.full_like(excess, -20.0), np.zeros_like(excess), excess], axis=1)


@pytest.mark.parametrize("prior", [0.25, 1.0])
def test_the_sigmoid_that_made_neither_is_found_whatever_is_supposed_of_its_frequency(prior: float) -> None:
    random = np.random.default_rng(2)
    excess = random.normal(0, 3, 40_000)
    shown = random.random(40_000) < expit(0.7 * excess - 1)
    inside, outside = with_neither(excess[~shown]), with_neither(excess[shown])
    result = fit(inside, np.ones(len(inside), np.int64), outside, prior)
    rarer = np.log(prior * len(inside) / len(outside))
    assert result.slope == pytest.approx(0.7, rel=0.1)
    assert result.offset == pytest.approx(-1 + rarer, abs=0.15)


@pytest.mark.parametrize("prior", [0.25, 1.0])
def test_the_sigmoid_of_neither_is_where_the_loss_no_longer_falls(prior: float) -> None:
    random = np.random.default_rng(3)
    inside, outside = random.normal(-2, 2, 300), random.normal(2, 3, 200)
    labels = np.ones(300, np.int64)
    result = fit(with_neither(inside), labels, with_neither(outside), prior)
    over_inside = result.neither(with_neither(inside)) - 1 / 302
    over_outside = result.neither(with_neither(outside)) - 201 / 202
    assert over_inside.mean() + prior * over_outside.mean() == pytest.approx(0, abs=1e-6)
    assert (inside * over_inside).mean() + prior * (outside * over_outside).mean() == pytest.approx(0, abs=1e-6)
    if prior == 1.0:
        assert fit(with_neither(inside), labels, with_neither(outside)) == result


def test_the_probabilities_of_three_logits_are_those_of_the_formula() -> None:
    logits = np.array([[1.0, 2.0, 3.0]])
    over = 3 - np.log(np.exp(1) + np.exp(2))
    neither = 1 / (1 + np.exp(-(1.5 * over - 0.5)))
    second = (1 - neither) / (1 + np.exp(-(2 - 1 - 0.25) / 4)) + neither / 2
    calibration = Calibration(4.0, 0.25, 1.5, -0.5)
    assert excess(logits) == pytest.approx([over])
    assert calibration.neither(logits) == pytest.approx([neither])
    np.testing.assert_allclose(calibration.probabilities(logits), [[1 - second, second]])


def test_the_temperature_depends_on_the_difference_of_the_labels_logits_alone() -> None:
    logits, labels = logits_and_labels(0.4)
    three = np.column_stack([logits + 3, np.zeros(len(logits))])
    alone = fit(logits, labels)
    shifted = fit(three, labels)
    assert (shifted.slope, shifted.offset) == (alone.slope, alone.offset)
    assert shifted.temperature == pytest.approx(alone.temperature)
    assert fit(logits, labels, with_neither(np.array([1.0]))) == alone
    assert fit(three, labels, with_neither(np.array([1.0, -1.0]))).temperature == shifted.temperature


def test_what_is_surely_neither_gets_even_probabilities() -> None:
    np.testing.assert_allclose(Calibration(1.0, 0.0, 2.0, 0.0).probabilities(with_neither(np.array([50.0]))), 0.5)


def test_without_a_third_logit_nothing_is_neither() -> None:
    assert Calibration(1.0, 0.0, 2.0, 5.0).neither(logits_of(np.array([3.0]))).tolist() == [0.0]


def test_the_description_names_the_method() -> None:
    assert Calibration(1.5, 0.25).to_dict() == {"method": "sigmoid", "temperature": 1.5, "shift": 0.25}
    assert Calibration(1.5, 0.25, 0.5, -1.0).to_dict(neither=True) == {
        "method": "sigmoids for the labels and for neither",
        "temperature": 1.5, "shift": 0.25, "slope": 0.5, "offset": -1.0,
    }  # fmt: skip


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


def test_what_is_accepted_of_neither_is_counted_with_its_interval() -> None:
    result = Accepted.of(np.array([[0.5, 0.5], [0.94, 0.06], [0.2, 0.8], [0.01, 0.99]]))
    assert (result.images, result.accepted, result.share) == (4, 2, 0.5)
    assert result.low < 0.5 < result.high
    assert str(result).startswith("2 of 4 accepted")

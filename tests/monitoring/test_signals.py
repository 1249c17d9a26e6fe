import numpy as np
import pytest

from monitoring import signals


def test_one_class_then_and_now_is_no_drift_in_the_label_mix() -> None:
    result = signals.label_mix((100, 0), np.zeros(50, np.int8), "motorcycle")
    assert result.p_value == 1


def test_confidences_all_at_one_in_both_are_stable() -> None:
    certain = np.ones(1000)
    result = signals.population_stability("confidence", certain, certain[:100])
    assert (result.statistic, result.p_value) == (0, 1)


def test_the_share_below_the_threshold_is_tested_exactly() -> None:
    # Fisher's tea: 3 of 4 against 1 of 4, two-sided p = 34/70 (The Design of Experiments, 1935).
    result = signals.share_below(
        "share below threshold", np.array([0.5, 0.5, 0.5, 0.9]), np.array([0.5, 0.9, 0.9, 0.9]), 0.8
    )
    assert result.p_value == pytest.approx(34 / 70)


def test_the_stability_index_is_the_sum_over_the_bands() -> None:
    # Two bands, (10, 10) then and (20, 5) now: with a half added p = (.5, .5), q = (20.5, 5.5) / 26.
    then, now = np.repeat([0.6, 0.9], [10, 10]), np.repeat([0.6, 0.9], [20, 5])
    q = 20.5 / 26
    expected = (q - 0.5) * np.log(q / 0.5) + (1 - q - 0.5) * np.log((1 - q) / 0.5)
    assert signals.population_stability("confidence", then, now).statistic == pytest.approx(expected)

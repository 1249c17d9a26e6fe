import math

import pytest

from monitoring.evaluation import Prediction, Rate, by_class, confusion, describe_rate, evaluate, percentiles


def test_the_interval_is_wilsons() -> None:
    # The worked example of Newcombe (1998), Statistics in Medicine 17: 81 of 263.
    rate = Rate.of(81, 263)
    assert (round(rate.value, 4), round(rate.low, 4), round(rate.high, 4)) == (0.308, 0.2553, 0.3662)


def test_a_rate_of_nothing_is_not_a_number() -> None:
    assert all(math.isnan(part) for part in (Rate.of(0, 0).value, Rate.of(0, 0).low, Rate.of(0, 0).high))


def test_an_prediction_exactly_at_the_threshold_is_accepted() -> None:
    result = evaluate([Prediction(0, (0.94, 0.06)), Prediction(1, (0.07, 0.93))], 0.94)
    assert (result.accepted.successes, result.accuracy_accepted.successes) == (1, 1)


def test_a_confident_mistake_lowers_the_accuracy_among_the_accepted() -> None:
    result = evaluate([Prediction(0, (0.01, 0.99)), Prediction(1, (0.01, 0.99)), Prediction(1, (0.6, 0.4))], 0.94)
    assert result.accuracy.value == pytest.approx(1 / 3)
    assert result.accuracy_accepted.value == pytest.approx(1 / 2)


def test_percentiles_of_nothing_are_not_numbers() -> None:
    assert math.isnan(percentiles([])["p50"])


def test_percentiles_are_in_the_unit_of_the_durations() -> None:
    assert percentiles([10.0, 20.0, 30.0]) == {"p50": 20.0, "p95": 29.0}


def test_percentiles_keep_one_decimal_and_both_names() -> None:
    assert percentiles([1.0, 1.26, 7.777]) == {"p50": 1.3, "p95": 7.1}
    assert {name: math.isnan(value) for name, value in percentiles([]).items()} == {"p50": True, "p95": True}


def test_a_rate_of_nothing_counts_nothing() -> None:
    assert (Rate.of(0, 0).successes, Rate.of(0, 0).n) == (0, 0)


def test_a_rate_in_words_says_what_it_rests_on() -> None:
    assert describe_rate(Rate.of(0, 0)) == "none"
    assert describe_rate(Rate.of(1, 1)) == "100.0%  (1 of 1; 95 % interval 20.7% to 100.0%)"


SURE_AND_RIGHT = [Prediction(0, (0.99, 0.01)), Prediction(1, (0.02, 0.98)), Prediction(1, (0.05, 0.95))]


UNSURE_AND_WRONG = [Prediction(1, (0.7, 0.3))]


def test_confusion_has_the_true_label_in_its_rows() -> None:
    assert confusion(SURE_AND_RIGHT + UNSURE_AND_WRONG) == ((1, 0), (1, 2))


def test_each_class_has_its_own_figures() -> None:
    bicycle, motorcycle = by_class(SURE_AND_RIGHT + UNSURE_AND_WRONG, 0.94)
    assert (bicycle.accuracy.successes, bicycle.accuracy.n) == (1, 1)
    assert (motorcycle.accuracy.successes, motorcycle.accuracy.n, motorcycle.accepted.successes) == (2, 3, 2)
    assert motorcycle.median_confidence == 0.95
    assert (bicycle.label, motorcycle.label) == (0, 1)


def test_a_class_without_images_has_no_median() -> None:
    bicycle, motorcycle = by_class(UNSURE_AND_WRONG, 0.94)
    assert math.isnan(bicycle.median_confidence)
    assert motorcycle.median_confidence == 0.7


def test_confusion_counts_each_cell_by_itself() -> None:
    cells = {(0, 0): 1, (0, 1): 2, (1, 0): 3, (1, 1): 4}
    text = {0: (0.9, 0.1), 1: (0.1, 0.9)}
    mixed = [Prediction(label, text[response]) for (label, response), count in cells.items() for _ in range(count)]
    assert confusion(mixed) == ((1, 2), (3, 4))

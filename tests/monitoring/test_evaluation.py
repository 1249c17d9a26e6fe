import math

import pytest

from monitoring.evaluation import Answer, Rate, evaluate, in_words, percentiles


def test_the_interval_is_wilsons() -> None:
    # The worked example of Newcombe (1998), Statistics in Medicine 17: 81 of 263.
    rate = Rate.of(81, 263)
    assert (round(rate.value, 4), round(rate.low, 4), round(rate.high, 4)) == (0.308, 0.2553, 0.3662)


def test_a_rate_of_nothing_is_not_a_number() -> None:
    assert all(math.isnan(part) for part in (Rate.of(0, 0).value, Rate.of(0, 0).low, Rate.of(0, 0).high))


def test_an_answer_exactly_at_the_threshold_is_accepted() -> None:
    result = evaluate([Answer(0, (0.94, 0.06)), Answer(1, (0.07, 0.93))], 0.94)
    assert (result.accepted.successes, result.accuracy_accepted.successes) == (1, 1)


def test_a_confident_mistake_lowers_the_accuracy_among_the_accepted() -> None:
    result = evaluate([Answer(0, (0.01, 0.99)), Answer(1, (0.01, 0.99)), Answer(1, (0.6, 0.4))], 0.94)
    assert result.accuracy.value == pytest.approx(1 / 3)
    assert result.accuracy_accepted.value == pytest.approx(1 / 2)


def test_percentiles_of_nothing_are_not_numbers() -> None:
    assert math.isnan(percentiles([])["p50"])


def test_percentiles_are_in_the_unit_given() -> None:
    assert percentiles([10.0, 20.0, 30.0]) == {"p50": 20.0, "p95": 29.0}


def test_percentiles_keep_one_decimal_and_both_names() -> None:
    assert percentiles([1.0, 1.26, 7.777]) == {"p50": 1.3, "p95": 7.1}
    assert {name: math.isnan(value) for name, value in percentiles([]).items()} == {"p50": True, "p95": True}


def test_a_rate_of_nothing_counts_nothing() -> None:
    assert (Rate.of(0, 0).successes, Rate.of(0, 0).n) == (0, 0)


def test_a_rate_in_words_says_what_it_rests_on() -> None:
    assert in_words(Rate.of(0, 0)) == "none"
    assert in_words(Rate.of(1, 1)) == "100.0%  (1 of 1; 95 % interval 20.7% to 100.0%)"

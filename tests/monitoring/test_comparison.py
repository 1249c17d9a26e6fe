import pytest

from monitoring.comparison import Difference, compare, describe_difference
from monitoring.evaluation import Prediction


def difference(both: int, only_new: int, only_old: int, none: int) -> Difference:
    pairs = [(True, True)] * both + [(True, False)] * only_new + [(False, True)] * only_old + [(False, False)] * none
    return Difference.of([new for new, _ in pairs], [old for _, old in pairs])


def predictions(right: str, confidence: float = 0.99) -> list[Prediction]:
    """A prediction of label 0 for each letter: right at ``r``, wrong at ``w``."""
    return [Prediction(0 if each == "r" else 1, (confidence, 1 - confidence)) for each in right]


def test_the_interval_is_the_published_one() -> None:
    result = difference(36, 12, 2, 0)  # Newcombe 1998, table II, example (a), method 10
    assert (result.low, result.high) == pytest.approx((0.0569, 0.3404), abs=0.0001)
    assert result.value == pytest.approx(0.2)


@pytest.mark.parametrize("counts", [(0, 1, 0, 0), (50, 0, 0, 0), (0, 0, 0, 50), (0, 20, 0, 0), (10, 5, 5, 10)])
def test_the_interval_holds_the_difference_and_is_the_reverse_of_the_swapped_models(counts: tuple[int, ...]) -> None:
    both, only_new, only_old, none = counts
    result, swapped = difference(*counts), difference(both, only_old, only_new, none)
    assert -1 <= result.low <= result.value <= result.high <= 1
    assert (swapped.low, swapped.high) == pytest.approx((-result.high, -result.low))


def test_the_same_predictions_differ_by_nothing() -> None:
    compared = compare(predictions("rrrw"), predictions("rrrw"), 0.94)
    assert (compared.accuracy.value, compared.accuracy.only_new, compared.accuracy.only_old) == (0, 0, 0)
    assert not compared.is_better
    assert compared.neither is None


def test_a_model_is_better_where_the_interval_of_its_accuracy_is_above_zero() -> None:
    good, bad = predictions("r" * 95 + "w" * 5), predictions("r" * 80 + "w" * 20)
    assert compare(good, bad, 0.94).is_better
    assert not compare(bad, good, 0.94).is_better
    assert not compare(predictions("r" * 95 + "w" * 5), predictions("r" * 94 + "w" * 6), 0.94).is_better


def test_a_model_that_accepts_more_of_neither_is_not_better_whatever_its_accuracy() -> None:
    good, bad = predictions("r" * 95 + "w" * 5), predictions("r" * 80 + "w" * 20)
    sure, unsure = [0.99] * 50, [0.6] * 50
    assert not compare(good, bad, 0.94, (sure, unsure)).is_better
    assert compare(good, good, 0.94, (unsure, sure)).is_better
    assert not compare(bad, good, 0.94, (unsure, sure)).is_better


def test_a_difference_is_told_in_points_with_its_interval() -> None:
    assert describe_difference(difference(36, 12, 2, 0)) == (
        "+20.0 points  (95 % interval +5.7 to +34.0; 12 images only the new, 2 only the old, of 50)"
    )

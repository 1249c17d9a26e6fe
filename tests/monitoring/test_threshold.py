import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.evaluation import Answer, by_class, confusion, evaluate
from monitoring.threshold import advise, curve

SURE_AND_RIGHT = [Answer(0, (0.99, 0.01)), Answer(1, (0.02, 0.98)), Answer(1, (0.05, 0.95))]
UNSURE_AND_WRONG = [Answer(1, (0.7, 0.3))]
ANSWERS = st.lists(
    st.builds(lambda label, p: Answer(label, (p, 1 - p)), st.integers(0, 1), st.sampled_from([0.1, 0.4, 0.7, 0.96])),
    min_size=1,
)


def test_the_advised_threshold_is_the_lowest_that_reaches_the_accuracy() -> None:
    choice = advise(SURE_AND_RIGHT + UNSURE_AND_WRONG, 0.99).choice
    assert choice is not None
    assert (choice.threshold, choice.coverage.value, choice.accuracy.value) == (0.95, 0.75, 1.0)


def test_an_accuracy_that_no_threshold_reaches_is_said_to_be_so() -> None:
    advice = advise([Answer(1, (0.99, 0.01))], 0.9)
    assert advice.choice is None
    assert "no threshold gives 90.0%" in advice.sentence


def test_advice_from_few_answers_says_how_little_they_prove() -> None:
    assert "interval begins at" in advise(SURE_AND_RIGHT, 0.99).sentence


@settings(deadline=None)
@given(ANSWERS)
def test_each_point_of_the_curve_is_what_its_threshold_gives(answers: list[Answer]) -> None:
    for threshold, coverage, accuracy in curve(answers):
        found = evaluate(answers, threshold)
        assert (coverage, accuracy) == pytest.approx((found.accepted.value, found.accuracy_accepted.value))


def test_the_curve_ends_where_everything_is_accepted() -> None:
    assert curve(SURE_AND_RIGHT + UNSURE_AND_WRONG)[-1] == (0.7, 1.0, 0.75)


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
    said = {0: (0.9, 0.1), 1: (0.1, 0.9)}
    mixed = [Answer(label, said[answer]) for (label, answer), count in cells.items() for _ in range(count)]
    assert confusion(mixed) == ((1, 2), (3, 4))


def test_an_accuracy_that_is_reached_exactly_is_reached() -> None:
    half = [Answer(0, (0.9, 0.1)), Answer(1, (0.9, 0.1))]
    choice = advise(half, 0.5).choice
    assert choice is not None
    assert choice.threshold == 0.9


def test_the_advice_reads_as_a_sentence() -> None:
    beginning = "a threshold of 0.9500 gives 99.0% or more right: 3 of 3, with 75.0% accepted"
    doubt = "; the 95 % interval begins at 43.9%: evaluate more images to be sure"
    assert advise(SURE_AND_RIGHT + UNSURE_AND_WRONG, 0.99).sentence == beginning + doubt
    assert advise(SURE_AND_RIGHT, 0.4).sentence == "accepting every answer already gives 40.0% or more right: 3 of 3"
    nothing = advise([Answer(1, (0.99, 0.01))], 0.9).sentence
    assert nothing == "no threshold gives 90.0% right among the accepted answers"

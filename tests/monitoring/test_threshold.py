import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.evaluation import Prediction, evaluate
from monitoring.threshold import coverage_curve, recommend_threshold

SURE_AND_RIGHT = [Prediction(0, (0.99, 0.01)), Prediction(1, (0.02, 0.98)), Prediction(1, (0.05, 0.95))]


UNSURE_AND_WRONG = [Prediction(1, (0.7, 0.3))]


PREDICTIONS = st.lists(
    st.builds(
        lambda label, p: Prediction(label, (p, 1 - p)), st.integers(0, 1), st.sampled_from([0.1, 0.4, 0.7, 0.96])
    ),
    min_size=1,
)


def test_the_recommended_threshold_is_the_lowest_that_reaches_the_accuracy() -> None:
    effect = recommend_threshold(SURE_AND_RIGHT + UNSURE_AND_WRONG, 0.99).effect
    assert effect is not None
    assert (effect.threshold, effect.coverage.value, effect.accuracy.value) == (0.95, 0.75, 1.0)


def test_an_accepted_image_of_neither_class_counts_as_wrong() -> None:
    effect = recommend_threshold(SURE_AND_RIGHT, 0.99, of_neither=[0.5, 0.96]).effect
    assert effect is not None
    assert (effect.threshold, effect.coverage.successes, effect.accuracy.n) == (0.98, 2, 2)
    assert recommend_threshold(SURE_AND_RIGHT, 0.99, of_neither=[0.999]).effect is None


def test_an_accuracy_that_no_threshold_reaches_is_stated_to_be_so() -> None:
    recommendation = recommend_threshold([Prediction(1, (0.99, 0.01))], 0.9)
    assert recommendation.effect is None
    assert "no threshold reaches an accuracy of 90.0%" in recommendation.description


def test_recommendation_from_few_predictions_says_how_little_they_prove() -> None:
    assert "interval begins at" in recommend_threshold(SURE_AND_RIGHT, 0.99).description


@settings(deadline=None)
@given(PREDICTIONS)
def test_each_point_of_the_curve_is_what_its_threshold_gives(predictions: list[Prediction]) -> None:
    for threshold, coverage, accuracy in coverage_curve(predictions):
        result = evaluate(predictions, threshold)
        assert (coverage, accuracy) == pytest.approx((result.accepted.value, result.accuracy_accepted.value))


def test_the_curve_ends_where_everything_is_accepted() -> None:
    assert coverage_curve(SURE_AND_RIGHT + UNSURE_AND_WRONG)[-1] == (0.7, 1.0, 0.75)


def test_an_accuracy_that_is_reached_exactly_is_reached() -> None:
    half = [Prediction(0, (0.9, 0.1)), Prediction(1, (0.9, 0.1))]
    effect = recommend_threshold(half, 0.5).effect
    assert effect is not None
    assert effect.threshold == 0.9


def test_the_recommendation_reads_as_a_sentence() -> None:
    assert recommend_threshold(SURE_AND_RIGHT + UNSURE_AND_WRONG, 0.99).description == (
        "a threshold of 0.9500 accepts 75.0% and gives an accuracy of at least 99.0% (3 of 3 right); the 95 % interval "
        "begins at 43.9%: evaluate more images to confirm"
    )
    assert recommend_threshold(SURE_AND_RIGHT, 0.4).description == (
        "accepting every prediction already gives an accuracy of at least 40.0% (3 of 3 right)"
    )
    wrong = recommend_threshold([Prediction(1, (0.99, 0.01))], 0.9)
    assert wrong.description == "no threshold reaches an accuracy of 90.0% among the accepted predictions"

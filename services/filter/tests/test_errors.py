import math

import pytest
from errors import FilterError, quoted
from handler import handler

EVENT = {"s3_bucket": "images", "s3_key": "a.png", "inferences": [0.97, 0.03]}
CLASSIFY = "send the output of ClassifyImageData"
ENDPOINT = "check the endpoint's model"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nb", "'a\\nb'"),
        ("x" * 120, repr("x" * 120)),
        ("x" * 121, repr("x" * 120) + "..."),
        (None, "nothing"),
        (True, "True"),
        (0.5, "0.5"),
        (math.nan, "nan"),
        (2**64 - 1, str(2**64 - 1)),
        (2**64, "a value of type int"),
        ([0.5], "a value of type list"),
    ],
)
def test_a_value_is_shown_where_it_is_short_and_by_its_type_where_not(value: object, shown: str) -> None:
    assert quoted(value) == shown


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"s3_bucket": 7}, f"s3_bucket must be a non-empty text, got 7: {CLASSIFY}"),
        ({"s3_key": ""}, f"s3_key must be a non-empty text, got '': {CLASSIFY}"),
        ({"inferences": "0.97"}, f"inferences must be a list of two probabilities, got '0.97': {ENDPOINT}"),
        ({"inferences": [1]}, f"inferences must be a list of two probabilities, got a list of 1: {ENDPOINT}"),
        ({"inferences": [1.5, 0]}, f"the probability of bicycle must be in 0..1, got 1.5: {ENDPOINT}"),
        ({"inferences": [0, "1"]}, f"the probability of motorcycle must be in 0..1, got '1': {ENDPOINT}"),
        ({"inferences": [0.5, 0.25]}, f"inferences must sum to 1 within 0.001, got [0.5, 0.25]: {ENDPOINT}"),
        ({"threshold": 2}, "threshold must be a number in 0.5..1, got 2: omit it to use the configured threshold"),
        (
            {"inferences": [0.2, 0.8]},
            "motorcycle with confidence 0.8 is below the threshold 0.94: a person must label this image",
        ),
    ],
)
def test_a_refusal_says_what_was_wrong_what_came_and_what_to_do(changes: dict[str, object], message: str) -> None:
    with pytest.raises(FilterError) as refusal:
        handler({**EVENT, **changes}, None)
    assert str(refusal.value) == message


def test_an_event_that_is_no_object_or_lacks_its_inferences_is_told_so() -> None:
    with pytest.raises(FilterError, match=f"^the event must be a JSON object, got 'text': {CLASSIFY}$"):
        handler("text", None)
    with pytest.raises(FilterError, match=f"^the field inferences is missing: {CLASSIFY}$"):
        handler({"s3_bucket": "images", "s3_key": "a.png"}, None)


def test_without_a_context_the_log_line_has_an_empty_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    handler(EVENT, None)
    assert '"request_id": "",' in capsys.readouterr().out

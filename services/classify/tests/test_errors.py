import math

import pytest
from endpoint import parse_probabilities
from errors import ClassifyError, quoted
from handler import parse_event
from settings import endpoint_name

ADVICE = "send the output of SerializeImageData"
MODEL = "check the endpoint's model"
EVENT = {"s3_bucket": "b", "s3_key": "k", "image_data": "aGk=", "content_type": "image/png"}


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
        ({"s3_bucket": 7}, f"s3_bucket must be a non-empty text, got 7: {ADVICE}"),
        ({"s3_key": ""}, f"s3_key must be a non-empty text, got '': {ADVICE}"),
        (
            {"content_type": "image/gif"},
            f"content_type must be one of ('image/jpeg', 'image/png'), got 'image/gif': {ADVICE}",
        ),
        ({"image_data": ""}, f"image_data must be base64 text, got an empty text: {ADVICE}"),
        ({"image_data": 7}, f"image_data must be base64 text, got a value of type int: {ADVICE}"),
        ({"image_data": "a?b="}, f"image_data is not base64, of 4 characters: {ADVICE}"),
        (
            {"image_data": "a" * 8_000_001},
            f"image_data must hold at most 6000000 bytes, got 8000001 characters: {ADVICE}",
        ),
    ],
)
def test_a_refused_event_is_told_what_came_and_what_to_send(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ClassifyError) as refusal:
        parse_event({**EVENT, **changes})
    assert str(refusal.value) == message


def test_an_event_that_is_no_object_is_told_so() -> None:
    with pytest.raises(ClassifyError, match=f"^the event must be a JSON object, got 'text': {ADVICE}$"):
        parse_event("text")


def test_a_name_that_no_endpoint_has_is_told_the_rule() -> None:
    with pytest.raises(ClassifyError) as refusal:
        endpoint_name({"ENDPOINT_NAME": "a_b"})
    rule = "ENDPOINT_NAME must be 1 to 63 letters, digits or inner hyphens, got 'a_b': set its name"
    assert str(refusal.value) == rule


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<a>", f"the endpoint's response of 3 bytes is not JSON: {MODEL}"),
        (b"7", f"the endpoint must return two probabilities, got 7: {MODEL}"),
        (b"[1]", f"the endpoint must return two probabilities, got a list of 1: {MODEL}"),
        (b"[0, 1.5]", f"probability 1 must be in 0..1, got 1.5: {MODEL}"),
        (b"[0.5, 0.25]", f"the probabilities must sum to 1 within 0.001, got [0.5, 0.25]: {MODEL}"),
    ],
)
def test_a_refused_answer_is_told_what_came_and_what_to_look_at(body: bytes, message: str) -> None:
    with pytest.raises(ClassifyError) as refusal:
        parse_probabilities(body)
    assert str(refusal.value) == message

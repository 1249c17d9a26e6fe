import pytest
from errors import SerializeError, quoted
from handler import parse_event
from image import fit, image_format
from sample_images import file, noise

ADVICE = 'send {"s3_bucket": "...", "s3_key": "..."}'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nb", "'a\\nb'"),
        ("x" * 120, repr("x" * 120)),
        ("x" * 121, repr("x" * 120) + "..."),
        (None, "nothing"),
        (7, "a value of type int"),
        ([], "a value of type list"),
    ],
)
def test_a_value_is_shown_where_it_is_text_and_by_its_type_where_not(value: object, shown: str) -> None:
    assert quoted(value) == shown


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("text", f"the event must be a JSON object, got 'text': {ADVICE}"),
        (
            {"s3_bucket": 7, "s3_key": "k"},
            f"s3_bucket must be a non-empty text, got a value of type int: {ADVICE}",
        ),
        ({"s3_bucket": "b", "s3_key": ""}, f"s3_key must be a non-empty text, got '': {ADVICE}"),
    ],
)
def test_a_refused_event_is_told_what_came_and_what_to_send(event: object, message: str) -> None:
    with pytest.raises(SerializeError) as refusal:
        parse_event(event)
    assert str(refusal.value) == message


def test_a_refused_image_is_told_what_it_begins_like_and_what_to_do() -> None:
    with pytest.raises(SerializeError) as empty:
        image_format(b"")
    assert str(empty.value) == "the object is empty: upload a JPEG or PNG"
    with pytest.raises(SerializeError) as text:
        image_format(b"text")
    assert str(text.value) == "the object is not a JPEG, PNG, GIF, WebP, HEIC or AVIF: upload a JPEG or PNG"
    with pytest.raises(SerializeError) as damaged:
        fit(file(noise(16, 16), "PNG")[:-40])
    assert str(damaged.value) == "the object is a damaged or truncated PNG: upload it again"

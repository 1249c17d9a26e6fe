import pytest

from training.serving.app import RESPONSE_FORMATS, check_content_type, choose_response_type
from training.serving.errors import NotAcceptable, UnsupportedMediaType

JSON, LINES = "application/json", "application/jsonlines"


@pytest.mark.parametrize(
    "header",
    ["image/png", "image/jpeg", "application/x-image", "IMAGE/PNG", "image/jpeg; q=0.9", " image/png ;name=a.png"],
)
def test_an_image_type_is_accepted_in_any_case_and_with_parameters(header: str) -> None:
    check_content_type(header)


@pytest.mark.parametrize(
    "header", [None, "", ";", "image/gif", "image/*", "text/csv", "application/json", "image/pngx"]
)
def test_any_other_type_is_refused_with_the_accepted_ones_named(header: str | None) -> None:
    with pytest.raises(UnsupportedMediaType, match="image/png, image/jpeg, application/x-image"):
        check_content_type(header)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (LINES, LINES),
        ("Application/JSONLines", LINES),
        (f"{LINES};verbose=true", LINES),
        ("text/html, */*;q=0.1", JSON),
        (f"{JSON};q=0.5, {LINES}", LINES),
        (f"{JSON};q=0, */*", LINES),
        (f"{LINES}, {JSON}", JSON),
        (f"application/*;q=0.2, {LINES};q=0.1", JSON),
        (f"{JSON}; Q=0.1 , {LINES}; q=0.2", LINES),
        (f"{JSON};q=nonsense, {LINES};q=0.1", LINES),
    ],
)
def test_the_answer_is_of_the_type_that_the_caller_wants_most(accept: str | None, chosen: str) -> None:
    assert choose_response_type(accept) == chosen


@pytest.mark.parametrize("accept", ["text/csv", "image/png", f"{JSON};q=0", "*/*;q=0", ",", "application/xml, text/*"])
def test_a_caller_who_wants_none_of_the_answers_is_told_which_there_are(accept: str) -> None:
    with pytest.raises(NotAcceptable, match=f"{JSON} or {LINES}"):
        choose_response_type(accept)


def test_answers_are_written_as_sagemaker_writes_them() -> None:
    assert RESPONSE_FORMATS[JSON]([0.9388, 0.0611]) == "[0.9388, 0.0611]"
    assert RESPONSE_FORMATS[LINES]([0.9388, 0.0611]) == '{"prediction": [0.9388, 0.0611]}'

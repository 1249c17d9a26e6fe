import pytest

from core.json_objects import error_message, parse_json_object


def test_an_object_is_returned() -> None:
    assert parse_json_object('{"a": [1, "b\\n"]}') == {"a": [1, "b\n"]}


@pytest.mark.parametrize(
    "text",
    ["", "no", "[]", "null", "5", "[" * 100_000, '{"a":' * 100_000, '{"a": "\\ud800"}', '{"\\ud800": 1}', "9" * 5000],
)
def test_anything_else_is_an_empty_object(text: str) -> None:
    assert parse_json_object(text) == {}


def test_the_message_is_taken_out_of_what_lambda_makes_of_an_exception() -> None:
    assert error_message('{"errorMessage": "too dark", "errorType": "InvalidInput"}') == "too dark"


@pytest.mark.parametrize(
    "cause", ["plain words", "[1, 2]", '"text"', "[" * 100_000, None], ids=lambda cause: str(cause)[:12]
)
def test_a_cause_that_lambda_did_not_wrap_stays_as_it_is(cause: str | None) -> None:
    assert error_message(cause) == cause

import pytest

from core.json_objects import parse_json_object


def test_an_object_is_returned() -> None:
    assert parse_json_object('{"a": [1, "b\\n"]}') == {"a": [1, "b\n"]}


@pytest.mark.parametrize(
    "text",
    ["", "no", "[]", "null", "5", "[" * 100_000, '{"a":' * 100_000, '{"a": "\\ud800"}', '{"\\ud800": 1}', "9" * 5000],
)
def test_anything_else_is_an_empty_object(text: str) -> None:
    assert parse_json_object(text) == {}

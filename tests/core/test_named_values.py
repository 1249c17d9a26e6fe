import pytest

from core.errors import InvalidNamedValue
from core.named_values import parse_named_values


def test_values_keep_whatever_follows_the_first_sign() -> None:
    assert parse_named_values(["a=1", "b=x=y", "c=", "a=2"]) == {"a": "2", "b": "x=y", "c": ""}


@pytest.mark.parametrize("item", ["", "a", "=1"])
def test_an_item_without_a_name_or_a_sign_is_refused(item: str) -> None:
    with pytest.raises(InvalidNamedValue, match="NAME=VALUE"):
        parse_named_values([item])

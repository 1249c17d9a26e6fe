import pytest

from core.errors import InvalidLabels
from core.labels import VEHICLES, dataset_name, parse_labels


def test_two_names_are_read_in_their_order() -> None:
    assert parse_labels("apple,sweet_pepper") == ("apple", "sweet_pepper")


@pytest.mark.parametrize(
    "text", ["", "apple", "apple,", "apple,apple", "a,b,c", "apple, orange", "a/b,c", "é,b", "a\n,b"]
)
def test_anything_but_two_different_names_is_refused(text: str) -> None:
    with pytest.raises(InvalidLabels, match="apple,orange"):
        parse_labels(text)


def test_a_dataset_is_named_after_its_labels() -> None:
    assert dataset_name(VEHICLES) == "cifar100"
    assert dataset_name(("apple", "orange")) == "cifar100-apple-orange"

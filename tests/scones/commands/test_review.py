import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.labels import VEHICLES
from core.lst_files import Entry, format_lst, parse_lst
from scones.commands.review import parse_labels, take_down
from scones.errors import ImageAmbiguous, LabelMalformed
from scones.labelled_dataset import merged
from tests.scones.stacks import deployed


class TwoBuckets:
    """A review queue with one key of two buckets; nothing may be taken from it."""

    def __init__(self) -> None:
        bodies = [json.dumps({"s3_bucket": bucket, "s3_key": "a.png"}) for bucket in ("b", "c")]
        self.waiting = [{"MessageId": body, "ReceiptHandle": body, "Body": body} for body in bodies]
        self.released = 0

    def receive_message(self, **_: object) -> dict[str, object]:
        messages, self.waiting = self.waiting, []
        return {"Messages": messages}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[object]) -> None:  # noqa: N803
        self.released += len(Entries)


def test_a_key_of_two_buckets_is_not_labelled_by_guess() -> None:
    queue = TwoBuckets()
    with pytest.raises(ImageAmbiguous, match=r"s3://b/a\.png or s3://c/a\.png"):
        take_down(queue, None, deployed(), {"a.png": "bicycle"})
    assert queue.released == 2


def test_a_label_is_what_stands_behind_the_last_equals_sign() -> None:
    lines = ["a=b.png=bicycle", " c.png=neither ", "", "c.png=motorcycle"]
    assert parse_labels(lines, VEHICLES) == {"a=b.png": "bicycle", "c.png": "motorcycle"}


@pytest.mark.parametrize("line", ["bicycle", "a.png=", "=bicycle", "a.png=tricycle", "a.png"])
def test_a_label_that_is_none_is_named(line: str) -> None:
    with pytest.raises(LabelMalformed, match="KEY=LABEL"):
        parse_labels([line], VEHICLES)


def test_other_labels_are_those_of_the_stack() -> None:
    assert parse_labels(["a.png=orange"], ("apple", "orange")) == {"a.png": "orange"}
    with pytest.raises(LabelMalformed, match="apple, orange, neither"):
        parse_labels(["a.png=bicycle"], ("apple", "orange"))


FILES = st.text("abc", min_size=1, max_size=3).map(lambda name: f"{name}.png")


@given(st.lists(st.dictionaries(FILES, st.integers(0, 1), max_size=5), max_size=5))
def test_labels_of_any_number_of_sittings_make_one_listing_where_the_last_answer_counts(
    sittings: list[dict[str, int]],
) -> None:
    entries: list[Entry] = []
    expected: dict[str, int] = {}
    for labels in sittings:
        entries = merged(entries, labels)
        expected |= labels
    assert parse_lst(format_lst(entries), Path("x")) == entries
    assert {entry.file: entry.label for entry in entries} == expected

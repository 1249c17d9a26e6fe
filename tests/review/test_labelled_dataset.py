from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.lst_files import Entry, format_lst, parse_lst
from review.labelled_dataset import merge_labels

FILES = st.text("abc", min_size=1, max_size=3).map(lambda name: f"{name}.png")


@given(st.lists(st.dictionaries(FILES, st.integers(0, 1), max_size=5), max_size=5))
def test_labels_of_any_number_of_sittings_make_one_listing_where_the_last_answer_counts(
    sittings: list[dict[str, int]],
) -> None:
    entries: list[Entry] = []
    expected: dict[str, int] = {}
    for labels in sittings:
        entries = merge_labels(entries, labels)
        expected |= labels
    assert parse_lst(format_lst(entries), Path("x")) == entries
    assert {entry.file: entry.label for entry in entries} == expected

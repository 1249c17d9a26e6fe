from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lst_files import Entry, format_lst, parse_lst
from core.s3_uris import S3Uri
from review.errors import UnreadableImage
from review.labelled_dataset import merge_labels, read_image

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


@pytest.mark.parametrize("uri", [S3Uri("my bucket", "x.jpg"), S3Uri("a/b", "x.jpg"), S3Uri("b", "")])
def test_an_image_of_a_name_that_cannot_exist_is_refused_with_the_way_out(uri: S3Uri) -> None:
    s3 = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(UnreadableImage, match=r"no bucket or key can have such a name\): label it 'neither'"):
        read_image(s3, uri)

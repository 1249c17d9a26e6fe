import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import SconesError
from scones.batch_inputs import prepare, read_skipped
from scones.errors import BucketNotReadable, ImagesMissing, UnreadableManifest, UnusableInput
from scones.image_inputs import SkippedInput
from tests import fake_aws
from tests.scones.fakes import S3
from tests.scones.stacks import deployed

OUTPUTS = deployed(data_bucket="own", image_bucket="depot")
PNG = b"\x89PNG\r\n\x1a\nrest"


@pytest.fixture
def s3() -> S3:
    names = ("own/images/a.png", "own/images/", "own/images/.DS_Store", "depot/images/b.png", "elsewhere/images/c.png")
    return S3(**dict.fromkeys(names, b"x"))


def prepared(s3: S3, source: str) -> dict[str, Any]:
    return prepare(fake_aws.client("s3", s3), OUTPUTS, "n", source)


def keys(s3: S3, payload: dict[str, Any]) -> list[str]:
    """The keys of the manifest that was written."""
    manifest = s3.objects[payload["manifest_bucket"], payload["manifest_key"]]
    return [item["s3_key"] for item in json.loads(manifest)]


@pytest.mark.parametrize(("bucket", "key"), [("own", "images/a.png"), ("depot", "images/b.png")])
def test_a_prefix_of_a_bucket_that_the_stack_may_read_becomes_a_manifest(bucket: str, key: str, s3: S3) -> None:
    payload = prepared(s3, f"s3://{bucket}/images/")
    assert (payload["s3_bucket"], payload["manifest_bucket"], keys(s3, payload)) == (bucket, "own", [key])


def test_what_is_skipped_can_be_read_when_the_batch_is_followed(s3: S3) -> None:
    payload = prepared(s3, "s3://own/images")
    assert read_skipped(fake_aws.client("s3", s3), payload) == [
        SkippedInput("s3://own/images/", "folder placeholder"),
        SkippedInput("s3://own/images/.DS_Store", "hidden"),
    ]


def test_a_batch_that_leaves_nothing_out_has_no_such_list(s3: S3) -> None:
    assert read_skipped(fake_aws.client("s3", s3), prepared(s3, "s3://depot/images/")) == []


def test_a_bucket_that_the_stack_may_not_read_is_refused_before_anything_starts(s3: S3) -> None:
    before = dict(s3.objects)
    with pytest.raises(BucketNotReadable, match="ImageBucket=elsewhere"):
        prepared(s3, "s3://elsewhere/images/")
    assert s3.objects == before


def test_a_prefix_without_an_object_is_a_named_error_and_no_empty_batch(s3: S3) -> None:
    with pytest.raises(ImagesMissing, match="s3://own/imges/"):
        prepared(s3, "s3://own/imges/")


def test_a_folder_is_uploaded_by_its_paths_and_the_rest_is_listed(s3: S3, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a b.png").write_bytes(PNG)
    (folder / "notes.txt").write_text("text")
    payload = prepared(s3, str(folder))
    assert payload == {"s3_bucket": "own", "prefix": "batches/n/"}
    assert ("own", "batches/n/deep/a b.png") in s3.objects
    skipped = read_skipped(fake_aws.client("s3", s3), payload)
    assert skipped == [SkippedInput(str(folder / "notes.txt"), "not an image")]


def test_a_folder_without_images_says_what_it_has(s3: S3, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(ImagesMissing, match="1 not an image"):
        prepared(s3, str(tmp_path))


@pytest.mark.parametrize("name", ["m.json", "M.JSONL", "list.csv", "without-suffix"])
def test_a_local_manifest_is_read_whatever_its_name(name: str, s3: S3, tmp_path: Path) -> None:
    (tmp_path / name).write_text('["a.png", "b.png", "a.png"]')
    payload = prepared(s3, str(tmp_path / name))
    assert (payload["s3_bucket"], keys(s3, payload)) == ("own", ["a.png", "b.png"])
    assert [entry.reason for entry in read_skipped(fake_aws.client("s3", s3), payload)] == ["duplicate"]


def test_a_manifest_in_s3_names_images_of_its_own_bucket(s3: S3) -> None:
    s3.objects["depot", "lists/day.jsonl"] = b'{"s3_key": "x.png"}\n'
    payload = prepared(s3, "s3://depot/lists/day.jsonl")
    assert (payload["s3_bucket"], payload["manifest_bucket"], keys(s3, payload)) == ("depot", "own", ["x.png"])


def test_the_bucket_of_an_item_is_honoured_or_refused_by_name(s3: S3, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('[{"s3_bucket": "depot", "s3_key": "a.png"}]')
    assert prepared(s3, str(path))["s3_bucket"] == "depot"
    path.write_text('[{"s3_bucket": "elsewhere", "s3_key": "a.png"}]')
    with pytest.raises(BucketNotReadable, match="elsewhere"):
        prepared(s3, str(path))
    path.write_text('[{"s3_bucket": "depot", "s3_key": "a.png"}, "b.png"]')
    with pytest.raises(UnusableInput, match="depot and own"):
        prepared(s3, str(path))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", UnreadableManifest),
        (b"[]", ImagesMissing),
        (b'[{"s3_key": null}]', UnreadableManifest),
        (PNG, UnusableInput),
    ],
)
def test_nothing_is_uploaded_of_what_cannot_be_used(
    content: bytes, error: type[SconesError], s3: S3, tmp_path: Path
) -> None:
    (tmp_path / "m.json").write_bytes(content)
    before = dict(s3.objects)
    with pytest.raises(error, match=r"m\.json"):
        prepared(s3, str(tmp_path / "m.json"))
    assert s3.objects == before


@pytest.mark.parametrize("source", ["", "nowhere", "s3://own/nowhere.json"])
def test_a_source_that_does_not_exist_is_named(source: str, s3: S3) -> None:
    with pytest.raises(UnusableInput, match=source or "an empty name"):
        prepared(s3, source)

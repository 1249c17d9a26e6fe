import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.batch import ItemResult
from scones.cli import app
from scones.commands.batch import _payload, written
from scones.errors import BatchUnclear, BucketNotReadable, ImagesMissing
from scones.image_inputs import address, walk
from scones.pipeline import Deployed

RESULT = ItemResult("b", 'a,"ü".png', "SUCCEEDED", "bicycle", 0.99, (0.99, 0.01), None, 12.34567, "arn")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_results_are_one_json_list_and_one_table(count: int, tmp_path: Path) -> None:
    with written(tmp_path / "new") as write:
        for _ in range(count):
            write(RESULT)
    found = json.loads((tmp_path / "new" / "results.json").read_text())
    rows = list(csv.DictReader((tmp_path / "new" / "results.csv").read_text().splitlines()))
    assert [item["s3_key"] for item in found] == [row["s3_key"] for row in rows] == [RESULT.s3_key] * count


def test_results_that_are_not_complete_do_not_appear(tmp_path: Path) -> None:
    def interrupted() -> None:
        with written(tmp_path) as write:
            write(RESULT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.glob("results.*"))


def test_the_images_of_a_folder_are_found_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.png", "b.JPG", "notes.txt", "deep/er/c.webp", "deep/.hidden"):
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert {path.name for path in walk(tmp_path)} == {"a.png", "b.JPG", "c.webp"}


@pytest.mark.parametrize(
    ("text", "parts"), [("s3://b/k/e", ("b", "k/e")), ("s3://b", ("b", "")), ("s3://b/", ("b", ""))]
)
def test_an_address_is_bucket_and_key(text: str, parts: tuple[str, str]) -> None:
    assert address(text) == parts


DEPLOYED = Deployed("m", "b", "own", "r", "f", "e", "role", 0.94, image_bucket="depot")


class Bucket:
    """Has one image under images/."""

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, list[str]]:  # noqa: N803
        return {"Contents": ["images/a.png"]} if "images/a.png".startswith(Prefix) else {}


@pytest.mark.parametrize("bucket", ["own", "depot"])
def test_a_prefix_of_a_bucket_that_the_stack_may_read_is_taken(bucket: str) -> None:
    assert _payload(Bucket(), DEPLOYED, "n", f"s3://{bucket}/images/") == {"s3_bucket": bucket, "prefix": "images/"}


def test_a_bucket_that_the_stack_may_not_read_is_refused_before_anything_starts() -> None:
    with pytest.raises(BucketNotReadable, match="ImageBucket=elsewhere"):
        _payload(Bucket(), DEPLOYED, "n", "s3://elsewhere/images/")


def test_a_prefix_without_an_object_is_a_named_error_and_no_empty_batch() -> None:
    with pytest.raises(ImagesMissing, match="s3://own/imges/"):
        _payload(Bucket(), DEPLOYED, "n", "s3://own/imges/")


@pytest.mark.parametrize("arguments", [[], ["photos", "--attach", "arn"]])
def test_a_batch_is_started_or_attached_to_and_not_both(arguments: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, ["batch", *arguments]).exception, BatchUnclear)

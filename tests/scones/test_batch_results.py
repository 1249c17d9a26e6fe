import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.response import StreamingBody

from core.s3_uris import S3Uri
from orchestration.batch import Batch, ItemResult
from scones.batch_results import collect, result_files
from scones.image_inputs import SkippedInput
from tests import fake_aws

RESULT = ItemResult("b", 'a,"ü".png', "SUCCEEDED", "bicycle", 0.99, (0.99, 0.01), None, 12.34567, "arn")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_results_are_one_json_list_and_one_table(count: int, tmp_path: Path) -> None:
    with result_files(tmp_path / "new") as write:
        for _ in range(count):
            write(RESULT)
    result = json.loads((tmp_path / "new" / "results.json").read_text())
    rows = list(csv.DictReader((tmp_path / "new" / "results.csv").read_text().splitlines()))
    assert [item["s3_key"] for item in result] == [row["s3_key"] for row in rows] == [RESULT.s3_key] * count


def test_a_key_that_utf8_cannot_write_is_escaped_in_both_files(tmp_path: Path) -> None:
    with result_files(tmp_path) as write:
        write(replace(RESULT, s3_key="\ud800.png"))
    for name in "results.json", "results.csv":
        assert r"\ud800.png" in (tmp_path / name).read_text("utf-8")


def test_results_that_are_not_complete_do_not_appear(tmp_path: Path) -> None:
    def interrupted() -> None:
        with result_files(tmp_path) as write:
            write(RESULT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.glob("results.*"))


class ResultFiles:
    """One file of results, of one image that was classified."""

    def get_object(self, Bucket: str, Key: str, **_: str) -> dict[str, object]:  # noqa: N803
        times = {"StartDate": "2026-03-01T12:00:00Z", "StopDate": "2026-03-01T12:00:01Z"}
        record = {
            "Input": json.dumps({"s3_bucket": "b", "s3_key": "a.png"}), "Output": json.dumps({"label": "bicycle"}),
            "Status": "SUCCEEDED", "ExecutionArn": "arn", **times,
        }  # fmt: skip
        body = json.dumps([record] if Key == "1.json" else {"ResultFiles": {"SUCCEEDED": [{"Key": "1.json"}]}}).encode()
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}


def test_what_is_left_out_is_counted_and_listed_in_both_files(tmp_path: Path) -> None:
    skipped = [SkippedInput("photos/notes.txt", "not an image"), SkippedInput("s3://b/day1/", "folder placeholder")]
    batch = Batch("arn:x", {}, S3Uri("b", "manifest.json"), 1.0)
    summary, keys = collect(fake_aws.client("s3", ResultFiles()), batch, tmp_path, 1.0, skipped)
    assert (summary.inputs, summary.images, sum(summary.outcomes.values()), keys.count) == (3, 1, 1, 1)
    assert summary.skipped == {"not an image": 1, "folder placeholder": 1}
    items = json.loads((tmp_path / "results.json").read_text())
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    expected = [("a.png", "SUCCEEDED"), ("photos/notes.txt", "SKIPPED"), ("day1/", "SKIPPED")]
    assert [(item["s3_key"], item["outcome"]) for item in items] == expected
    assert [(row["s3_key"], row["outcome"]) for row in rows] == expected


@pytest.mark.parametrize("text", ['=HYPERLINK("http://evil.example")', "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    with result_files(tmp_path) as write:
        write(replace(RESULT, s3_key=text, message=text))
    (row,) = csv.DictReader(io.StringIO((tmp_path / "results.csv").read_bytes().decode(), newline=""))
    assert row["s3_key"] == row["message"] == f"'{text}"
    assert json.loads((tmp_path / "results.json").read_text())[0]["s3_key"] == text

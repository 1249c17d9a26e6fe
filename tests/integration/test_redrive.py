"""What waits in the two queues: people's answers become training data, and failures run again, each once."""

import json
from pathlib import Path

import pytest

from bench.workflow.rig import Rig, pictures
from core.lst_files import parse_lst
from orchestration import executions
from scones import labelled_dataset, pipeline
from tests.integration.users import User

pytestmark = pytest.mark.integration


def upload(rig: Rig, folder: Path, count: int, name: str) -> list[executions.Image]:
    pictures(folder / name, count, broken=0)
    paths = sorted((folder / name).iterdir())
    return pipeline.upload_images(rig.client("s3"), rig.deployed.data_bucket, f"runs/{name}", paths, lambda *_: None)


def test_failures_run_again_once_the_endpoint_is_back(rig: Rig, tmp_path: Path) -> None:
    images, user, before = upload(rig, tmp_path, 3, "failing"), User.of(rig), rig.queued()
    rig.faults(kind="html", share=1.0)
    try:
        outcomes = rig.run(images, "failing", threshold=0.5)
    finally:
        rig.faults()
    errors = {str(outcome.error) for outcome in outcomes}
    assert {outcome.status for outcome in outcomes} == {"FAILED"}
    assert (rig.queued() - before)["failure"] == 3
    waiting = json.loads(user.scones("redrive", "--dry-run", "--json").stdout)
    assert waiting["waiting"] == (rig.queued())["failure"]
    assert sum(waiting["errors"][error] for error in errors) >= 3
    answer = user.scones("redrive", "--wait", "--json", *(word for error in errors for word in ("--error", error)))
    found = json.loads(answer.stdout)
    assert (answer.returncode, found["started"], found["outcomes"]) == (0, 3, {"SUCCEEDED": 3}), (found, answer.stderr)
    assert rig.queued()["failure"] == before["failure"]
    assert json.loads(user.scones("redrive", "--error", *errors, "--json").stdout)["started"] == 0


def test_a_reviewed_image_becomes_a_line_of_the_next_trainings_manifest(rig: Rig, tmp_path: Path) -> None:
    images, user = upload(rig, tmp_path, 3, "unsure"), User.of(rig)
    rig.run(images, "unsure", threshold=1.0)
    keys = [image.s3_key for image in images]
    waiting, sheet = rig.queued()["review"], tmp_path / "review.html"
    listed = json.loads(user.scones("review", "--sheet", str(sheet), "--json").stdout)
    assert set(keys) <= {item["s3_key"] for item in listed["listed"]}
    assert all(key in sheet.read_text() for key in keys)
    assert rig.queued()["review"] == waiting
    (tmp_path / "labels.txt").write_text(f"{keys[1]}=motorcycle\n{keys[2]}=neither\n")
    answer = user.scones("review", "--label", f"{keys[0]}=bicycle", "--labels", str(tmp_path / "labels.txt"), "--json")
    assert json.loads(answer.stdout)["labelled"] == 3, answer.stderr
    assert rig.queued()["review"] == waiting - 3
    s3, bucket = rig.client("s3"), rig.deployed.data_bucket
    entries = parse_lst(s3.get_object(Bucket=bucket, Key=labelled_dataset.LISTING)["Body"].read().decode(), "train.lst")
    contents = {
        s3.get_object(Bucket=bucket, Key=f"{labelled_dataset.PREFIX}/train/{entry.file}")["Body"].read(): entry.label
        for entry in entries
    }
    sent = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    assert [contents.get(content) for content in sent] == [0, 1, None]


def test_a_label_for_an_image_that_is_not_waiting_changes_nothing(rig: Rig) -> None:
    waiting = rig.queued()["review"]
    answer = User.of(rig).scones("review", "--label", "nowhere.png=bicycle")
    assert (answer.returncode, rig.queued()["review"]) == (1, waiting)
    assert "nowhere.png" in answer.stderr

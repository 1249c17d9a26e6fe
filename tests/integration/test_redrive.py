"""What waits in the two queues: people's answers become training data, and failures run again, each once."""

import json
from pathlib import Path

import pytest

from core.lst_files import parse_lst
from review import labelled_dataset
from tests.integration.local_deployment import LocalDeployment

pytestmark = pytest.mark.integration


def test_failures_run_again_once_the_endpoint_is_back(deployment: LocalDeployment, tmp_path: Path) -> None:
    images, user, before = (
        deployment.upload(tmp_path / "images", 3, "runs/failing"),
        deployment.user,
        deployment.queue_lengths(),
    )
    deployment.inject_faults(kind="html", share=1.0)
    try:
        outcomes = deployment.run(images, "failing", threshold=0.5)
    finally:
        deployment.inject_faults()
    errors = {str(outcome.error) for outcome in outcomes}
    assert {outcome.status for outcome in outcomes} == {"FAILED"}
    assert (deployment.queue_lengths() - before)["failure"] == 3
    waiting = json.loads(user.run("redrive", "--dry-run", "--json").stdout)
    assert waiting["waiting"] == deployment.queue_lengths()["failure"]
    assert sum(waiting["errors"][error] for error in errors) >= 3
    response = user.run("redrive", "--wait", "--json", *(word for error in errors for word in ("--error", error)))
    result = json.loads(response.stdout)
    assert (response.returncode, result["started"], result["outcomes"]) == (0, 3, {"SUCCEEDED": 3}), (
        result,
        response.stderr,
    )
    assert deployment.queue_lengths()["failure"] == before["failure"]
    assert json.loads(user.run("redrive", "--error", *errors, "--json").stdout)["started"] == 0


def test_a_reviewed_image_becomes_a_line_of_the_next_trainings_manifest(
    deployment: LocalDeployment, tmp_path: Path
) -> None:
    images, user = deployment.upload(tmp_path / "images", 3, "runs/unsure"), deployment.user
    deployment.run(images, "unsure", threshold=1.0)
    keys = [image.s3_key for image in images]
    waiting, sheet = deployment.queue_lengths()["review"], tmp_path / "review.html"
    listed = json.loads(user.run("review", "--sheet", str(sheet), "--json").stdout)
    assert set(keys) <= {item["s3_key"] for item in listed["listed"]}
    assert all(key in sheet.read_text() for key in keys)
    assert deployment.queue_lengths()["review"] == waiting
    (tmp_path / "labels.txt").write_text(f"{keys[1]}=motorcycle\n{keys[2]}=neither\n")
    response = user.run("review", "--label", f"{keys[0]}=bicycle", "--labels", str(tmp_path / "labels.txt"), "--json")
    assert json.loads(response.stdout)["labelled"] == 3, response.stderr
    assert deployment.queue_lengths()["review"] == waiting - 3
    s3, bucket = deployment.client("s3"), deployment.outputs.data_bucket
    entries = parse_lst(s3.get_object(Bucket=bucket, Key=labelled_dataset.LISTING)["Body"].read().decode(), "train.lst")
    contents = {
        s3.get_object(Bucket=bucket, Key=f"{labelled_dataset.PREFIX}/train/{entry.file}")["Body"].read(): entry.label
        for entry in entries
    }
    sent = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    assert [contents.get(content) for content in sent] == [0, 1, None]


def test_a_label_for_an_image_that_is_not_waiting_changes_nothing(deployment: LocalDeployment) -> None:
    waiting = deployment.queue_lengths()["review"]
    response = deployment.user.run("review", "--label", "nowhere.png=bicycle")
    assert (response.returncode, deployment.queue_lengths()["review"]) == (1, waiting)
    assert "nowhere.png" in response.stderr

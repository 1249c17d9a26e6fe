"""Many images as one batch, some of them broken, on an endpoint that throttles: the small form of `bench.batch`."""

import json
from pathlib import Path

import pytest

from bench.workflow.batches import batch
from bench.workflow.rig import Rig, pictures
from orchestration import batch as batches
from orchestration.executions import Image
from orchestration.history import history
from tests.integration.users import User

pytestmark = pytest.mark.integration


def test_a_batch_accounts_for_every_image_as_one_by_one_would(rig: Rig, tmp_path: Path) -> None:
    found = batch(rig, tmp_path, 40)
    assert (found["exit"], found["images"], found["differing"]) == (0, 40, 0)
    assert sum(found["outcomes"].values()) == 40
    assert found["queued"].get("failure") == found["outcomes"]["UnsupportedImage"] == 2
    assert found["queued"].get("review", 0) == found["outcomes"].get("ThresholdConfidenceNotMet", 0)
    assert sum(found["labels"].values()) == found["outcomes"]["SUCCEEDED"]
    assert found["throttled"] > 0


def test_keys_of_any_spelling_under_a_prefix_are_each_taken_once(rig: Rig) -> None:
    s3, bucket = rig.client("s3"), rig.deployed.data_bucket
    for number in range(12):
        s3.put_object(Bucket=bucket, Key=f"many/{number:02d} +ü.png", Body=b"no image")
    payload = {"s3_bucket": bucket, "prefix": "many/"}
    client = rig.client("stepfunctions")
    arn = batches.start(client, rig.deployed.batch_state_machine_arn, payload, "many")
    finished = batches.wait(client, arn)
    keys = sorted(item.s3_key for item in batches.results(s3, finished.manifest))
    assert keys == sorted(batches.expected_keys(s3, payload))


def test_a_batch_can_be_followed_again_and_a_threshold_of_its_own_holds(rig: Rig, tmp_path: Path) -> None:
    s3, bucket = rig.client("s3"), rig.deployed.data_bucket
    pictures(tmp_path / "two", 2, broken=0)
    keys = [f"own/{path.name}" for path in sorted((tmp_path / "two").iterdir())]
    for key in keys:
        s3.upload_file(str(tmp_path / "two" / Path(key).name), bucket, key)
    s3.put_object(Bucket=bucket, Key="own.json", Body=json.dumps([{"s3_key": key} for key in keys]))
    payload = {"s3_bucket": bucket, "manifest_key": "own.json", "threshold": 1}
    arn = batches.start(rig.client("stepfunctions"), rig.deployed.batch_state_machine_arn, payload, "own")
    answer = User.of(rig).scones("batch", "--attach", arn, "--json", "--out", str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["outcomes"] == {"ThresholdConfidenceNotMet": 2}
    assert [visit.name for visit in history(rig.client("stepfunctions"), arn)][-1] == "Summary"


def test_one_image_may_have_its_own_threshold_too(rig: Rig, tmp_path: Path) -> None:
    pictures(tmp_path / "one", 1, broken=0)
    rig.client("s3").upload_file(str(tmp_path / "one" / "000000.png"), rig.deployed.data_bucket, "one.png")
    image = [Image(rig.deployed.data_bucket, "one.png")]
    (strict,), (lenient,) = (rig.run(image, f"t-{t}".replace(".", ""), threshold=t) for t in (1.0, 0.5))
    assert (strict.error, lenient.status) == ("ThresholdConfidenceNotMet", "SUCCEEDED")

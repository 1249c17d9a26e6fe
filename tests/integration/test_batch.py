"""Many images as one batch, some of them broken, on an endpoint that throttles.

BATCH_IMAGES sets how many, because `make bench` runs the same test with more.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from orchestration import batch as batches
from orchestration.executions import Outcome, S3Image
from orchestration.history import history
from tests.integration.local_deployment import LocalDeployment, write_images

pytestmark = pytest.mark.integration
IMAGES = int(os.environ.get("BATCH_IMAGES", "40"))


def test_a_batch_accounts_for_every_image_as_one_by_one_would(
    deployment: LocalDeployment, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    write_images(tmp_path / "images", IMAGES, broken=0.05)
    before = deployment.queue_lengths()
    deployment.inject_faults(kind="throttling", share=0.1, seed=1)
    try:
        done = deployment.user.run("batch", str(tmp_path / "images"), "--json", "--out", str(tmp_path))
        faults = httpx.get(f"{deployment.state.sagemaker_url}/_scones/faults").json()["faults"]
    finally:
        deployment.inject_faults()
    assert done.returncode == 0, done.stderr
    summary, queued = json.loads(done.stdout), deployment.queue_lengths() - before
    items = json.loads(Path(summary["results"]).read_text())
    images = [S3Image(item["s3_bucket"], item["s3_key"]) for item in items]
    in_batch = {item["s3_key"]: (item["outcome"], item["label"], item["confidence"]) for item in items}
    alone = {outcome.image.s3_key: end(outcome) for outcome in deployment.run(images, "one-by-one", concurrency=4)}
    throttled = sum(fault["struck"] for fault in faults)
    for name, value in {"summary": summary, "queued": dict(queued), "throttled": throttled}.items():
        record_property(name, value)
    assert alone == in_batch
    assert summary["images"] == len(in_batch) == sum(summary["outcomes"].values()) == IMAGES
    assert queued["failure"] == summary["outcomes"]["UnsupportedImage"] == IMAGES // 20
    assert queued["review"] == summary["outcomes"].get("ThresholdConfidenceNotMet", 0)
    assert sum(summary["labels"].values()) == summary["outcomes"]["SUCCEEDED"]
    assert throttled > 0


def end(outcome: Outcome) -> tuple[str, object, object]:
    """What a single execution ended with, as the results of a batch write it."""
    output = outcome.output or {}
    return outcome.error or outcome.status, output.get("label"), output.get("confidence")


def test_keys_of_any_spelling_under_a_prefix_are_each_taken_once(deployment: LocalDeployment) -> None:
    s3, bucket = deployment.client("s3"), deployment.outputs.data_bucket
    for number in range(12):
        s3.put_object(Bucket=bucket, Key=f"many/{number:02d} +ü.png", Body=b"no image")
    payload = {"s3_bucket": bucket, "prefix": "many/"}
    client = deployment.client("stepfunctions")
    arn = batches.start(client, deployment.outputs.batch_state_machine_arn, payload, "many")
    finished = batches.wait(client, arn)
    keys = sorted(item.s3_key for item in batches.results(s3, finished.manifest))
    assert keys == sorted(batches.expected_keys(s3, payload))


def test_a_batch_can_be_followed_again_and_a_threshold_of_its_own_holds(
    deployment: LocalDeployment, tmp_path: Path
) -> None:
    s3, bucket = deployment.client("s3"), deployment.outputs.data_bucket
    write_images(tmp_path / "two", 2)
    keys = [f"own/{path.name}" for path in sorted((tmp_path / "two").iterdir())]
    for key in keys:
        s3.upload_file(str(tmp_path / "two" / Path(key).name), bucket, key)
    s3.put_object(Bucket=bucket, Key="own.json", Body=json.dumps([{"s3_key": key} for key in keys]))
    payload = {"s3_bucket": bucket, "manifest_key": "own.json", "threshold": 1}
    arn = batches.start(deployment.client("stepfunctions"), deployment.outputs.batch_state_machine_arn, payload, "own")
    response = deployment.user.run("batch", "--attach", arn, "--json", "--out", str(tmp_path))
    assert response.returncode == 0, response.stderr
    assert json.loads(response.stdout)["outcomes"] == {"ThresholdConfidenceNotMet": 2}
    assert [visit.name for visit in history(deployment.client("stepfunctions"), arn)][-1] == "Summary"


def test_one_image_may_have_its_own_threshold_too(deployment: LocalDeployment, tmp_path: Path) -> None:
    write_images(tmp_path / "one", 1)
    deployment.client("s3").upload_file(str(tmp_path / "one" / "000000.png"), deployment.outputs.data_bucket, "one.png")
    image = [S3Image(deployment.outputs.data_bucket, "one.png")]
    (strict,), (lenient,) = (deployment.run(image, f"t-{t}".replace(".", ""), threshold=t) for t in (1.0, 0.5))
    assert (strict.error, lenient.status) == ("ThresholdConfidenceNotMet", "SUCCEEDED")

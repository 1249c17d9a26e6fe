"""Many images in one execution: each ends once, in its result, and in the queue where it belongs."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.conftest import Running
from tests.integration.test_state_machine import messages

pytestmark = pytest.mark.integration

GOOD = [f"good-{number}.png" for number in range(5)]
REVIEWED = "filter,ThresholdConfidenceNotMet,always"
FAILED = ["serialize,UnsupportedImage,always", "classify,EndpointNotFound,always", "classify,KeyError,always"]


def execute(running: Running, payload: object) -> dict[str, Any]:
    client = running.client("stepfunctions")
    machine = running.outputs["BatchStateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps(payload))["executionArn"]
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        response: dict[str, Any] = client.describe_execution(executionArn=arn)
        if response["status"] != "RUNNING":
            return response
        time.sleep(0.2)
    raise AssertionError(f"{arn} did not end")


def written(running: Running, place: dict[str, str]) -> list[dict[str, Any]]:
    """Read every result that the Map Run left."""
    s3, bucket = running.client("s3"), place["s3_bucket"]
    manifest = json.load(s3.get_object(Bucket=bucket, Key=place["manifest_key"])["Body"])
    files = [file for kind in manifest["ResultFiles"].values() for file in kind]
    return [result for file in files for result in json.load(s3.get_object(Bucket=bucket, Key=file["Key"])["Body"])]


@pytest.mark.parametrize("source", ["manifest", "prefix"])
def test_every_image_of_a_batch_ends_once_and_where_it_belongs(source: str, scripted: Running) -> None:
    s3, bucket = scripted.client("s3"), scripted.outputs["DataBucket"]
    prefix = f"batch-{uuid4().hex}/" if source == "prefix" else ""
    names = GOOD if prefix else [*GOOD, REVIEWED, *FAILED]
    keys = {f"{prefix}{name}" for name in names}
    if prefix:
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"image")
        batch = {"s3_bucket": bucket, "prefix": prefix}
    else:
        batch = {"s3_bucket": bucket, "manifest_key": f"manifests/{uuid4().hex}.json"}
        body = json.dumps([{"s3_key": key} for key in sorted(keys)])
        s3.put_object(Bucket=bucket, Key=batch["manifest_key"], Body=body.encode())

    response = execute(scripted, batch)
    assert response["status"] == "SUCCEEDED", response
    output = json.loads(response["output"])
    failed = 0 if prefix else len(FAILED)
    counts = {"total": len(keys), "succeeded": len(keys) - failed, "failed": failed, "timed_out": 0, "aborted": 0}
    assert output["counts"] == counts

    results = written(scripted, output["results"])
    images = [json.loads(result["Input"])["s3_key"] for result in results]
    assert sorted(images) == sorted(keys)
    outputs = [json.loads(result["Output"]) for result in results if result["Status"] == "SUCCEEDED"]
    assert {one["s3_key"] for one in outputs if "label" in one} == {f"{prefix}{name}" for name in GOOD}
    assert [one["error"] for one in outputs if "error" in one] == ([] if prefix else ["ThresholdConfidenceNotMet"])

    arns = {result["ExecutionArn"]: json.loads(result["Input"])["s3_key"] for result in results}
    failures = [m["input"]["s3_key"] for m in messages(scripted, "FailureQueueUrl") if m["execution_arn"] in arns]
    reviews = [m["s3_key"] for m in messages(scripted, "ReviewQueueUrl") if m["execution_arn"] in arns]
    assert sorted(failures) == ([] if prefix else sorted(FAILED))
    assert reviews == ([] if prefix else [REVIEWED])


@pytest.mark.parametrize("payload", [{}, {"s3_bucket": "bucket"}, {"prefix": "in/"}, {"s3_bucket": 7, "prefix": "in/"}])
def test_a_batch_that_names_no_images_says_what_to_send(payload: dict[str, object], scripted: Running) -> None:
    response = execute(scripted, payload)
    assert (response["status"], response["error"]) == ("FAILED", "InvalidInput")
    assert "manifest_key" in response["cause"]

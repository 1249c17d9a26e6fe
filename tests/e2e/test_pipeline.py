"""The pipeline in its containers, through AWS's public interfaces alone."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import Site

pytestmark = pytest.mark.e2e


def test_every_sample_has_exactly_one_outcome(site: Site, samples: list[dict[str, str]]) -> None:
    ended = [site.ended(arn) for arn in [site.start(image) for image in samples]]
    passed = [one for one in ended if one["status"] == "SUCCEEDED"]
    for one in ended:
        counts = site.messages_of(one["executionArn"])
        if one in passed:
            output = json.loads(one["output"])
            assert output["label"] in json.loads(one["input"])["s3_key"]
            assert output["confidence"] >= output["threshold"] == 0.94
            assert counts == {"ReviewQueueUrl": 0, "FailureQueueUrl": 0}
        else:
            assert one["error"] == "ThresholdConfidenceNotMet"
            assert counts == {"ReviewQueueUrl": 1, "FailureQueueUrl": 0}
    assert len(passed) >= len(samples) / 2


def bad_inputs(site: Site) -> dict[str, Any]:
    bucket = site.outputs()["DataBucket"]
    return {
        "ImageNotFound": {"s3_bucket": bucket, "s3_key": f"nowhere/{uuid4()}.png"},
        "UnsupportedImage": site.put(f"e2e/{uuid4()}.png", b"this is not an image"),
        "InvalidInput": {"s3_bucket": bucket},
    }


@pytest.mark.parametrize("error", ["ImageNotFound", "UnsupportedImage", "InvalidInput"])
def test_a_bad_input_fails_by_name_with_one_message_in_the_failure_queue(site: Site, error: str) -> None:
    result = site.ended(site.start(bad_inputs(site)[error]))
    assert (result["status"], result["error"]) == ("FAILED", error)
    assert site.messages_of(result["executionArn"]) == {"ReviewQueueUrl": 0, "FailureQueueUrl": 1}


def test_what_does_not_meet_the_threshold_waits_for_a_person(site: Site, samples: list[dict[str, str]]) -> None:
    result = site.ended(site.start(samples[0] | {"threshold": 1.0}))
    assert (result["status"], result["error"]) == ("FAILED", "ThresholdConfidenceNotMet")
    assert site.messages_of(result["executionArn"]) == {"ReviewQueueUrl": 1, "FailureQueueUrl": 0}


def test_a_failed_image_is_redriven_from_its_message(site: Site, samples: list[dict[str, str]]) -> None:
    key = f"e2e/late-{uuid4()}.png"
    bucket = samples[0]["s3_bucket"]
    failed = site.ended(site.start({"s3_bucket": bucket, "s3_key": key}))
    assert failed["error"] == "ImageNotFound"
    (message,) = [m for m in site.messages("FailureQueueUrl") if m["execution_arn"] == failed["executionArn"]]
    site.client("s3").copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": samples[0]["s3_key"]})
    again = site.ended(site.start(message["input"]))
    assert again["status"] == "SUCCEEDED" or again["error"] == "ThresholdConfidenceNotMet"


def test_a_batch_ends_each_item_as_the_single_machine_does(site: Site, samples: list[dict[str, str]]) -> None:
    bucket, prefix = samples[0]["s3_bucket"], f"e2e/{uuid4()}/"
    keys = [image["s3_key"] for image in samples] + [f"{prefix}missing.png"]
    manifest = site.put(f"{prefix}manifest.json", json.dumps([{"s3_key": key} for key in keys]).encode())
    value = {"s3_bucket": bucket, "manifest_key": manifest["s3_key"]}
    result = site.ended(site.start(value, "BatchStateMachineArn"))
    assert result["status"] == "SUCCEEDED", result.get("cause")
    output = json.loads(result["output"])
    assert output["counts"] == {
        "total": len(keys), "succeeded": len(samples), "failed": 1, "timed_out": 0, "aborted": 0
    }  # fmt: skip
    missing = [m for m in site.messages("FailureQueueUrl") if m["input"].get("s3_key") == keys[-1]]
    assert [message["error"] for message in missing] == ["ImageNotFound"]


def test_what_the_endpoint_saw_is_captured_once(site: Site, unsure: Callable[[int], bytes]) -> None:
    image = unsure(time.time_ns())
    result = site.ended(site.start(site.put(f"e2e/{uuid4()}.png", image)))
    assert result["status"] == "SUCCEEDED" or result["error"] == "ThresholdConfidenceNotMet"
    deadline = time.monotonic() + 600
    while not (records := [r for r in captured(site) if r["endpointInput"]["data"] == image]):
        assert time.monotonic() < deadline, "nothing was captured in 600 s"
        time.sleep(1)
    (record,) = records
    bicycle, motorcycle = json.loads(record["endpointOutput"]["data"])
    assert bicycle + motorcycle == pytest.approx(1)


def captured(site: Site) -> list[dict[str, Any]]:
    """Every captured record, its image decoded."""
    s3, outputs = site.client("s3"), site.outputs()
    listing = {"Bucket": outputs["DataBucket"], "Prefix": f"capture/{outputs['EndpointName']}/"}
    records = []
    for entry in s3.list_objects_v2(**listing).get("Contents", []):
        body = s3.get_object(Bucket=outputs["DataBucket"], Key=entry["Key"])["Body"].read()
        records += [json.loads(line)["captureData"] for line in body.splitlines()]
    for record in records:
        record["endpointInput"]["data"] = base64.b64decode(record["endpointInput"]["data"])
    return records


def test_the_endpoint_is_in_service_and_answers_by_itself(site: Site, unsure: Callable[[int], bytes]) -> None:
    name = site.outputs()["EndpointName"]
    assert site.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    response = site.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="image/png", Accept="application/json", Body=unsure(1)
    )
    assert sum(json.loads(response["Body"].read())) == pytest.approx(1)

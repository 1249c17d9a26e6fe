"""What people do with the running pipeline, by the `scones` command: trigger, batch, review, redrive, monitoring."""

import csv
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.compose import ROOT
from tests.e2e.conftest import TERMINAL, Site

pytestmark = pytest.mark.e2e

HANG_SECONDS = 600


def scones(site: Site, home: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
    """Run a command to its end and return what it printed as JSON."""
    addresses = {"SCONES_LOCALSTACK_URL": site.localstack_url, "SCONES_SAGEMAKER_URL": site.sagemaker_url}
    finished = subprocess.run(
        [sys.executable, "-m", "scones", *arguments, "--json"],
        cwd=home,
        env={**os.environ, **addresses, "SCONES_HOME": str(home), "PYTHONPATH": _path()},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert finished.returncode in codes, finished.stderr[-3000:]
    return json.loads(finished.stdout)


def _path() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def executions_about(site: Site, word: str) -> list[dict[str, Any]]:
    """Every execution of the single machine whose input has the word in it."""
    client = site.client("stepfunctions")
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=site.outputs()["StateMachineArn"])
    listed = [one["executionArn"] for page in pages for one in page["executions"]]
    described = [client.describe_execution(executionArn=arn) for arn in listed]
    return [one for one in described if word in one["input"]]


def ended_about(site: Site, word: str, count: int) -> list[dict[str, Any]]:
    """Those executions, once there are as many and all have ended."""
    deadline = time.monotonic() + HANG_SECONDS
    while True:
        result = executions_about(site, word)
        if len(result) >= count and all(one["status"] in TERMINAL for one in result):
            assert len(result) == count
            return result
        assert time.monotonic() < deadline, result
        time.sleep(0.3)


def content_of(site: Site, image: dict[str, str]) -> bytes:
    response = site.client("s3").get_object(Bucket=image["s3_bucket"], Key=image["s3_key"])
    content: bytes = response["Body"].read()
    return content


def test_a_new_object_under_incoming_becomes_an_execution_by_itself(site: Site, samples: list[dict[str, str]]) -> None:
    mark = uuid4().hex
    image = site.put(f"incoming/{mark}.png", content_of(site, samples[0]))
    (one,) = ended_about(site, mark, 1)
    assert json.loads(one["input"])["s3_key"] == image["s3_key"]
    assert one["status"] == "SUCCEEDED" or one["error"] == "ThresholdConfidenceNotMet"


def test_a_batch_of_files_is_accounted_for(site: Site, samples: list[dict[str, str]], tmp_path: Path) -> None:
    folder = tmp_path / "vehicles"
    folder.mkdir()
    for number, image in enumerate(samples):
        (folder / f"{number}.png").write_bytes(content_of(site, image))
    (folder / "broken.png").write_bytes(b"this is not an image")
    output = scones(site, tmp_path, "batch", str(folder))
    assert output["images"] == len(samples) + 1 == sum(output["outcomes"].values())
    assert output["outcomes"]["UnsupportedImage"] == 1
    assert set(output["labels"]) <= {"bicycle", "motorcycle"}
    results = tmp_path / output["results"]
    assert len(json.loads(results.read_text("utf-8"))) == output["images"]
    assert len(list(csv.DictReader(io.StringIO(results.with_suffix(".csv").read_text("utf-8"))))) == output["images"]


def test_an_answer_to_a_review_becomes_a_training_image(
    site: Site, unsure: Callable[[int], bytes], tmp_path: Path
) -> None:
    image = site.put(f"e2e/{uuid4()}.png", unsure(time.time_ns()))
    failed = site.ended(site.start(image | {"threshold": 1.0}))
    assert failed["error"] == "ThresholdConfidenceNotMet"
    waiting = scones(site, tmp_path, "review", "--sheet", str(tmp_path / "review.html"))
    assert image["s3_key"] in {listed["s3_key"] for listed in waiting["listed"]}
    assert "data:image" in (tmp_path / "review.html").read_text("utf-8")

    before = trained_on(site)
    output = scones(site, tmp_path, "review", "--label", f"{image['s3_key']}=bicycle")
    assert output["labelled"] == 1
    (line,) = trained_on(site) - before
    assert line.split("\t")[1] == "0"
    left = scones(site, tmp_path, "review", "--sheet", str(tmp_path / "review.html"))
    assert image["s3_key"] not in {listed["s3_key"] for listed in left["listed"]}


def trained_on(site: Site) -> set[str]:
    """The lines of the listing that people's answers make."""
    s3, bucket = site.client("s3"), site.outputs()["DataBucket"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="datasets/reviewed/train.lst").get("Contents", [])
    if not listed:
        return set()
    return set(s3.get_object(Bucket=bucket, Key=listed[0]["Key"])["Body"].read().decode().splitlines())


def test_what_failed_for_a_missing_image_succeeds_when_it_is_redriven(
    site: Site, samples: list[dict[str, str]], tmp_path: Path
) -> None:
    key = f"e2e/late-{uuid4()}.png"
    missing = {"s3_bucket": samples[0]["s3_bucket"], "s3_key": key}
    assert site.ended(site.start(missing))["error"] == "ImageNotFound"
    site.put(key, content_of(site, samples[0]))
    assert scones(site, tmp_path, "redrive", "--error", "ImageNotFound")["started"] >= 1
    result = ended_about(site, key, 2)
    again = max(result, key=lambda one: one["startDate"])
    assert again["status"] == "SUCCEEDED" or again["error"] == "ThresholdConfidenceNotMet"


def test_monitoring_sees_each_inference_that_was_captured(
    site: Site, unsure: Callable[[int], bytes], tmp_path: Path
) -> None:
    def seen() -> int:
        output = scones(site, tmp_path, "monitor", "--since", "1h", codes=(0, 3, 4))
        return int(output["drift"]["n"])

    before, images = settled(seen), 5
    for number in range(images):
        site.ended(site.start(site.put(f"e2e/{uuid4()}.png", unsure(time.time_ns() + number))))
    deadline = time.monotonic() + HANG_SECONDS
    while (now := seen()) < before + images:
        assert time.monotonic() < deadline, f"{now - before} of {images} inferences were captured"
        time.sleep(1)
    assert settled(seen) == before + images


def settled(count: Callable[[], int]) -> int:
    """Return a count once it stands still: what the tests before have asked for is captured seconds later."""
    deadline = time.monotonic() + HANG_SECONDS
    before = -1
    while (now := count()) != before:
        assert time.monotonic() < deadline, f"{now} and counting"
        before = now
        time.sleep(3)
    return now


def test_a_zip_archive_of_a_user_runs_and_reaches_the_stack(site: Site) -> None:
    call = "boto3.client('sagemaker').describe_endpoint(**event)['EndpointStatus']"
    code = f"import boto3\ndef handler(event, context):\n    return {call}\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", code)
    functions = site.client("lambda")
    functions.create_function(
        FunctionName="zipped", Runtime="python3.13", Handler="index.handler", Code={"ZipFile": archive.getvalue()},
        Role="arn:aws:iam::000000000000:role/any", Timeout=60,
    )  # fmt: skip
    functions.get_waiter("function_active_v2").wait(FunctionName="zipped")
    event = {"EndpointName": site.outputs()["EndpointName"]}
    response = functions.invoke(FunctionName="zipped", Payload=json.dumps(event))
    assert json.loads(response["Payload"].read()) == "InService"
    functions.delete_function(FunctionName="zipped")

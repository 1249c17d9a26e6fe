import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.s3_uris import S3Uri
from orchestration.batch import WAITER, ItemResult, KeySet, expected_keys, results, wait
from orchestration.errors import BatchFailed
from tests import fake_aws

SAMPLE = Path(__file__).with_name("map_run")
MANIFEST = S3Uri("results", "batch-results/fe99ba9d-7a25-35c5-8b2f-0f9a4a6c6e2e/manifest.json")


def record(key: str) -> dict[str, Any]:
    return {
        "ExecutionArn": f"arn:{key}",
        "Input": json.dumps({"s3_bucket": "b", "s3_key": key}),
        "Status": "SUCCEEDED",
        "Output": '{"label": "bicycle"}',
        "StartDate": "2026-03-01T10:00:00.250Z",
        "StopDate": "2026-03-01T10:00:01Z",
    }


class Sample:
    """The bucket with the result files that AWS documents, in every status that it documents.

    Written by hand: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
    """

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        folder, _, name = Key.rpartition("/")
        assert (Bucket, folder) == (MANIFEST.bucket, MANIFEST.key.rpartition("/")[0])
        return {"Body": io.BytesIO((SAMPLE / name).read_bytes())}


class FakeS3:
    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        body = self.objects[Key]
        return {"Body": body if hasattr(body, "read") else io.BytesIO(json.dumps(body).encode())}

    def get_paginator(self, _operation: str) -> "FakeS3":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": "in/1"}, {"Key": "in/2"}]}, {}]


def test_each_status_of_the_documented_result_files_has_its_outcome() -> None:
    outcomes = {item.s3_key.removeprefix("incoming/"): item.outcome for item in results(Sample(), MANIFEST)}
    assert outcomes == {
        "bicycle 1.png": "SUCCEEDED",
        "unsure.png": "ThresholdConfidenceNotMet",
        "Fahrrad-grün.png": "SUCCEEDED",
        "broken.png": "UnsupportedImage",
        "slow.png": "TIMED_OUT",
        "aborted.png": "ABORTED",
    }


def test_an_image_that_was_not_started_has_no_result() -> None:
    (pending,) = json.loads((SAMPLE / "PENDING_0.json").read_text())
    assert json.loads(pending["Input"])["s3_key"] not in {item.s3_key for item in results(Sample(), MANIFEST)}


def test_a_result_is_read_with_all_its_members() -> None:
    items = {item.s3_key.removeprefix("incoming/"): item for item in results(Sample(), MANIFEST)}
    arn = items["bicycle 1.png"].execution_arn
    assert ":express:scones-classify-batch/Prefix:" in arn
    assert items["bicycle 1.png"] == ItemResult(
        "photos", "incoming/bicycle 1.png", "SUCCEEDED", "bicycle", 0.99, (0.99, 0.01), None, 750.0, arn
    )
    unsure, broken = items["unsure.png"], items["broken.png"]
    assert (unsure.label, unsure.inferences) == (None, (0.6, 0.4))
    assert unsure.message == "confidence 0.6 is below the threshold 0.94"
    assert broken.message == "the object begins like a PNG but is damaged"


class LongFile:
    """A result file of many records that is nowhere as a whole."""

    def __init__(self, count: int) -> None:
        self.parts = self._parts(count)
        self.rest = b""

    def _parts(self, count: int) -> Iterator[bytes]:
        yield b"["
        for number in range(count):
            text = json.dumps(record(str(number)))
            yield (text + ("," if number < count - 1 else "]")).encode()

    def read(self, size: int = -1) -> bytes:
        while len(self.rest) < max(size, 1) and (part := next(self.parts, None)):
            self.rest += part
        response, self.rest = self.rest[:size], self.rest[size:]
        return response


def peak(count: int) -> int:
    """Most bytes held while the results of so many images are read and counted."""
    only = {"ResultFiles": {"SUCCEEDED": [{"Key": "s"}]}}
    seen = KeySet()
    tracemalloc.start()
    try:
        for item in results(FakeS3({"manifest.json": only, "s": LongFile(count)}), S3Uri("b", "manifest.json")):
            seen.add(item.s3_key)
        assert seen.count == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_results() -> None:
    peak(10)
    assert peak(5000) < 2 * peak(1000)


@given(st.lists(st.text(), unique=True), st.randoms())
def test_a_set_knows_the_same_images_in_any_order(keys: list[str], random: Any) -> None:
    one, other = KeySet(), KeySet()
    for key in keys:
        one.add(key)
    random.shuffle(keys)
    for key in keys:
        other.add(key)
    assert one == other


@pytest.mark.parametrize("others", [["a"], ["a", "b", "b"], ["a", "c"], ["ab"], ["b", "b"]])
def test_a_set_notices_what_is_missing_doubled_or_exchanged(others: list[str]) -> None:
    one, other = KeySet(), KeySet()
    for key in ["a", "b"]:
        one.add(key)
    for key in others:
        other.add(key)
    assert one != other


def test_what_was_to_be_classified_comes_from_the_listing_or_the_manifest() -> None:
    s3 = FakeS3({"m.json": [{"s3_key": "x"}, {"s3_key": "y", "more": 1}]})
    assert list(expected_keys(s3, {"s3_bucket": "b", "prefix": "in/"})) == ["in/1", "in/2"]
    assert list(expected_keys(s3, {"s3_bucket": "b", "prefix": "in/", "manifest_key": "m.json"})) == ["x", "y"]


class FakeStepFunctions:
    def list_map_runs(self, **_: Any) -> dict[str, Any]:
        return {"mapRuns": []}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return {
            "executionArn": executionArn,
            "status": "FAILED",
            "startDate": None,
            "error": "InvalidInput",
            "cause": "x",
        }


def test_a_batch_that_fails_as_a_whole_says_why() -> None:
    with pytest.raises(BatchFailed, match="InvalidInput: x"):
        wait(FakeStepFunctions(), "arn:aws:states:r:1:execution:m:n")


class Throttling(FakeStepFunctions):
    """Refuses the first requests as AWS does where there are too many."""

    refusals = 3

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self.refusals -= 1
        if self.refusals >= 0:
            raise fake_aws.error("ThrottlingException", "Rate exceeded")
        return super().describe_execution(executionArn)


def test_a_throttled_request_does_not_end_the_waiting() -> None:
    slept: list[float] = []
    with pytest.raises(BatchFailed):
        wait(Throttling(), "arn:aws:states:r:1:execution:m:n", waiter=replace(WAITER, sleep=slept.append))
    assert slept == [WAITER.poll_seconds] * 3

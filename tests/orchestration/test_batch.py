import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.batch import ItemResult, Ledger, follow, listed, results
from orchestration.errors import BatchFailed

MANIFEST = {
    "DestinationBucket": "b",
    "MapRunArn": "arn",
    "ResultFiles": {
        "SUCCEEDED": [{"Key": "s", "Size": 1}],
        "FAILED": [{"Key": "f", "Size": 1}],
        "PENDING": [{"Key": "p", "Size": 1}],
    },
}


def record(key: str, status: str, **more: Any) -> dict[str, Any]:
    given_ = {"s3_bucket": "b", "s3_key": key, "threshold": 0.94}
    times = {"StartDate": "2026-03-01T10:00:00.250Z", "StopDate": "2026-03-01T10:00:01Z"}
    return {"ExecutionArn": f"arn:{key}", "Input": json.dumps(given_), "Status": status, **times, **more}


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


def test_each_way_an_image_can_end_has_its_name() -> None:
    classified = {"label": "bicycle", "confidence": 0.99, "inferences": [0.99, 0.01]}
    unsure = {"error": "ThresholdConfidenceNotMet", "cause": '{"errorMessage": "unsure"}', "inferences": [0.6, 0.4]}
    files = {
        "manifest.json": MANIFEST,
        "s": [record(key, "SUCCEEDED", Output=json.dumps(out)) for key, out in (("1", classified), ("2", unsure))],
        "f": [record("3", "FAILED", Error="UnsupportedImage", Cause="{}"), record("4", "TIMED_OUT")],
        "p": [record("5", "PENDING")],
    }  # fmt: skip
    found = list(results(FakeS3(files), "b", "manifest.json"))
    ends = [("1", "SUCCEEDED"), ("2", "ThresholdConfidenceNotMet"), ("3", "UnsupportedImage"), ("4", "TIMED_OUT")]
    assert [(item.s3_key, item.outcome) for item in found] == ends
    assert found[0] == ItemResult("b", "1", "SUCCEEDED", "bicycle", 0.99, (0.99, 0.01), None, 750.0, "arn:1")
    assert (found[1].label, found[1].inferences, found[1].message) == (None, (0.6, 0.4), "unsure")


class LongFile:
    """A result file of many records that is nowhere as a whole."""

    def __init__(self, count: int) -> None:
        self.parts = self._parts(count)
        self.rest = b""

    def _parts(self, count: int) -> Iterator[bytes]:
        yield b"["
        for number in range(count):
            text = json.dumps(record(str(number), "SUCCEEDED", Output='{"label": "bicycle"}'))
            yield (text + ("," if number < count - 1 else "]")).encode()

    def read(self, size: int = -1) -> bytes:
        while len(self.rest) < max(size, 1) and (part := next(self.parts, None)):
            self.rest += part
        answer, self.rest = self.rest[:size], self.rest[size:]
        return answer


def peak(count: int) -> int:
    """Most bytes held while the results of so many images are read and counted."""
    only = {"ResultFiles": {"SUCCEEDED": [{"Key": "s"}]}}
    ledger = Ledger()
    tracemalloc.start()
    try:
        for item in results(FakeS3({"manifest.json": only, "s": LongFile(count)}), "b", "manifest.json"):
            ledger.add(item.s3_key)
        assert ledger.count == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_results() -> None:
    peak(10)
    assert peak(5000) < 2 * peak(1000)


@given(st.lists(st.text(), unique=True), st.randoms())
def test_a_ledger_knows_the_same_images_in_any_order(keys: list[str], random: Any) -> None:
    one, other = Ledger(), Ledger()
    for key in keys:
        one.add(key)
    random.shuffle(keys)
    for key in keys:
        other.add(key)
    assert one == other


@pytest.mark.parametrize("others", [["a"], ["a", "b", "b"], ["a", "c"], ["ab"], ["b", "b"]])
def test_a_ledger_notices_what_is_missing_doubled_or_exchanged(others: list[str]) -> None:
    one, other = Ledger(), Ledger()
    for key in ["a", "b"]:
        one.add(key)
    for key in others:
        other.add(key)
    assert one != other


def test_what_was_to_be_classified_comes_from_the_listing_or_the_manifest() -> None:
    s3 = FakeS3({"m.json": [{"s3_key": "x"}, {"s3_key": "y", "more": 1}]})
    assert list(listed(s3, {"s3_bucket": "b", "prefix": "in/"})) == ["in/1", "in/2"]
    assert list(listed(s3, {"s3_bucket": "b", "prefix": "in/", "manifest_key": "m.json"})) == ["x", "y"]


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
        follow(FakeStepFunctions(), "arn:aws:states:r:1:execution:m:n", poll=0)

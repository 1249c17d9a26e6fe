"""Runs the batch state machine over many images and reads the result of each, one at a time."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ijson
from botocore.exceptions import ClientError

from core.aws_errors import is_throttled
from core.json_objects import error_message
from core.s3_uris import S3Uri
from core.waiting import WaiterConfig
from orchestration import history
from orchestration.errors import BatchFailed

WAITER = WaiterConfig(timeout_seconds=float("inf"), poll_seconds=1.0)
# ResultWriter's lists of files. PENDING has the items that were not started when the Map Run ended.
_ENDED = ("SUCCEEDED", "FAILED")


@dataclass(frozen=True)
class Progress:
    """How many images a Map Run has taken up so far, and how many of them have ended or are running."""

    total: int
    ended: int
    running: int


@dataclass(frozen=True)
class Batch:
    """A batch whose execution has succeeded; ``manifest`` lists its result files."""

    execution_arn: str
    input: dict[str, Any]
    manifest: S3Uri
    seconds: float


@dataclass(frozen=True)
class ItemResult:
    """The result of one image; ``outcome`` is SUCCEEDED or an error's name, ``milliseconds`` the image's own time."""

    s3_bucket: str
    s3_key: str
    outcome: str
    label: str | None
    confidence: float | None
    inferences: tuple[float, ...] | None
    message: str | None
    milliseconds: float
    execution_arn: str


class KeySet:
    """A multiset of keys in constant memory: their number, and a checksum that does not depend on their order."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, s3_key: str) -> None:
        """Add a key."""
        self.count += 1
        digest = hashlib.sha256(s3_key.encode("utf-8", "surrogatepass")).digest()
        self._sum = (self._sum + int.from_bytes(digest)) % 2**256

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySet) and (self.count, self._sum) == (other.count, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it is mutable


def start(stepfunctions: Any, state_machine_arn: str, payload: dict[str, Any], name: str) -> str:
    """Start a batch and return its execution's ARN. ``payload`` has s3_bucket, and prefix or manifest_key."""
    response = stepfunctions.start_execution(stateMachineArn=state_machine_arn, name=name, input=json.dumps(payload))
    return str(response["executionArn"])


def wait(
    stepfunctions: Any,
    execution_arn: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
    waiter: WaiterConfig = WAITER,
) -> Batch:
    """Wait until a batch has ended. Raises BatchFailed or ExecutionNotFound."""
    map_run_arn: str | None = None
    while True:
        try:
            execution = history.describe(stepfunctions, execution_arn)
            map_run_arn = map_run_arn or history.map_run_arn(stepfunctions, execution_arn)
            if map_run_arn is not None:
                on_progress(progress(stepfunctions, map_run_arn))
            if execution.status != "RUNNING":
                break
        except ClientError as error:
            if not is_throttled(error):
                raise
        waiter.sleep(waiter.poll_seconds)
    if execution.status != "SUCCEEDED" or execution.output is None or execution.stopped is None:
        raise BatchFailed(execution_arn, execution.status, execution.error, error_message(execution.cause))
    results = json.loads(execution.output)["results"]
    return Batch(
        execution_arn,
        input=json.loads(execution.input or "{}"),
        manifest=S3Uri(results["s3_bucket"], results["manifest_key"]),
        seconds=(execution.stopped - execution.started).total_seconds(),
    )


def batch_input(stepfunctions: Any, execution_arn: str) -> dict[str, Any]:
    """Return a batch's input."""
    payload: dict[str, Any] = json.loads(history.describe(stepfunctions, execution_arn).input or "{}")
    return payload


def stop(stepfunctions: Any, execution_arn: str) -> None:
    """Stop a batch: images that are running are aborted, results of those that have ended remain."""
    stepfunctions.stop_execution(executionArn=execution_arn, error="Interrupted", cause="stopped by its user")


def progress(stepfunctions: Any, map_run_arn: str) -> Progress:
    """Return the progress of a Map Run."""
    counts = stepfunctions.describe_map_run(mapRunArn=map_run_arn)["itemCounts"]
    ended = sum(counts[name] for name in ("succeeded", "failed", "timedOut", "aborted"))
    return Progress(counts["total"], ended, counts["running"])


def results(s3: Any, manifest: S3Uri) -> Iterator[ItemResult]:
    """Yield the result of each image that has ended, from the files that ResultWriter has written, one at a time.

    Format: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
    """
    listing = json.loads(s3.get_object(Bucket=manifest.bucket, Key=manifest.key)["Body"].read())
    for status in _ENDED:
        for file in listing["ResultFiles"].get(status, []):
            body = s3.get_object(Bucket=listing.get("DestinationBucket", manifest.bucket), Key=file["Key"])["Body"]
            for record in ijson.items(body, "item", use_float=True):
                yield _result(record)


def expected_keys(s3: Any, payload: dict[str, Any]) -> Iterator[str]:
    """Yield the key of every image in a batch's input, from the listing or the manifest that the batch reads."""
    if "manifest_key" in payload:
        bucket = payload.get("manifest_bucket", payload["s3_bucket"])
        body = s3.get_object(Bucket=bucket, Key=payload["manifest_key"])["Body"]
        yield from (str(item["s3_key"]) for item in ijson.items(body, "item"))
        return
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=payload["s3_bucket"], Prefix=payload["prefix"])
    for page in pages:
        yield from (str(entry["Key"]) for entry in page.get("Contents", []))


def _result(record: dict[str, Any]) -> ItemResult:
    payload = json.loads(record["Input"])
    output = json.loads(record["Output"]) if record.get("Output") else {}
    # The execution of an image for review succeeds, so that it does not count as a failure of the batch.
    error = record.get("Error") or output.get("error")
    duration = datetime.fromisoformat(record["StopDate"]) - datetime.fromisoformat(record["StartDate"])
    inferences = output.get("inferences")
    return ItemResult(
        s3_bucket=payload["s3_bucket"],
        s3_key=payload["s3_key"],
        outcome=error or record["Status"],
        label=output.get("label"),
        confidence=output.get("confidence"),
        inferences=tuple(inferences) if inferences is not None else None,
        message=error_message(record.get("Cause") or output.get("cause")),
        milliseconds=duration.total_seconds() * 1000,
        execution_arn=record["ExecutionArn"],
    )

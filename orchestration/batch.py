"""Runs the batch machine over many images and reads what became of each, one at a time."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration import history
from orchestration.errors import BatchFailed

_RUNNING = "RUNNING"
# What ResultWriter calls its lists of files; what it leaves pending has not come to an end.
_ENDED = ("SUCCEEDED", "FAILED")


@dataclass(frozen=True)
class Progress:
    """How many of a batch's images are in the Map Run so far, and how many have come to an end."""

    total: int
    ended: int
    running: int


@dataclass(frozen=True)
class Finished:
    """A batch whose execution has succeeded, and where its result files are listed."""

    execution_arn: str
    input: dict[str, Any]
    results_bucket: str
    results_manifest: str
    seconds: float


@dataclass(frozen=True)
class ItemResult:
    """What became of one image, in ``milliseconds`` of its own; ``outcome`` is SUCCEEDED or the name of the error."""

    s3_bucket: str
    s3_key: str
    outcome: str
    label: str | None
    confidence: float | None
    inferences: tuple[float, ...] | None
    message: str | None
    milliseconds: float
    execution_arn: str


class Ledger:
    """A set of images in constant memory: their number, and a checksum that their order does not change."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, s3_key: str) -> None:
        """Take note of an image."""
        self.count += 1
        digest = hashlib.sha256(s3_key.encode("utf-8", "surrogatepass")).digest()
        self._sum = (self._sum + int.from_bytes(digest)) % 2**256

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and (self.count, self._sum) == (other.count, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it changes


def start(stepfunctions: Any, state_machine_arn: str, payload: dict[str, Any], name: str) -> str:
    """Start a batch and return its execution's ARN. ``payload`` has s3_bucket and prefix, or manifest_key."""
    answer = stepfunctions.start_execution(stateMachineArn=state_machine_arn, name=name, input=json.dumps(payload))
    return str(answer["executionArn"])


def follow(
    stepfunctions: Any,
    execution_arn: str,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    poll: float = 1.0,
) -> Finished:
    """Wait until a batch has ended, looking every ``poll`` seconds. Raises BatchFailed or ExecutionUnknown."""
    map_run: str | None = None
    while True:
        execution = history.describe(stepfunctions, execution_arn)
        map_run = map_run or history.map_run_arn(stepfunctions, execution_arn)
        if map_run is not None:
            on_progress(progress(stepfunctions, map_run))
        if execution.status != _RUNNING:
            break
        time.sleep(poll)
    if execution.status != "SUCCEEDED" or execution.output is None or execution.stopped is None:
        raise BatchFailed(execution_arn, execution.status, execution.error, history.error_message(execution.cause))
    where = json.loads(execution.output)["results"]
    seconds = (execution.stopped - execution.started).total_seconds()
    given = json.loads(execution.input or "{}")
    return Finished(execution_arn, given, where["s3_bucket"], where["manifest_key"], seconds)


def given_to(stepfunctions: Any, execution_arn: str) -> dict[str, Any]:
    """Return a batch's input."""
    payload: dict[str, Any] = json.loads(history.describe(stepfunctions, execution_arn).input or "{}")
    return payload


def stop(stepfunctions: Any, execution_arn: str) -> None:
    """Stop a batch: what runs is aborted, what has ended stays."""
    stepfunctions.stop_execution(executionArn=execution_arn, error="Interrupted", cause="stopped by its user")


def progress(stepfunctions: Any, map_run_arn: str) -> Progress:
    """Return how far a Map Run is."""
    counts = stepfunctions.describe_map_run(mapRunArn=map_run_arn)["itemCounts"]
    ended = sum(counts[name] for name in ("succeeded", "failed", "timedOut", "aborted"))
    return Progress(counts["total"], ended, counts["running"])


def results(s3: Any, bucket: str, manifest_key: str) -> Iterator[ItemResult]:
    """Yield what became of each image, from the files that ResultWriter lists; no file is held in memory.

    Shape: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
    """
    import ijson  # noqa: PLC0415 - no other command needs it

    manifest = json.loads(s3.get_object(Bucket=bucket, Key=manifest_key)["Body"].read())
    for kind in _ENDED:
        for file in manifest["ResultFiles"].get(kind, []):
            body = s3.get_object(Bucket=manifest.get("DestinationBucket", bucket), Key=file["Key"])["Body"]
            for record in ijson.items(body, "item", use_float=True):
                yield _result(record)


def listed(s3: Any, payload: dict[str, Any]) -> Iterator[str]:
    """Yield the key of every image that a batch was to take, from the same listing or manifest that it read."""
    if "manifest_key" in payload:
        import ijson  # noqa: PLC0415

        body = s3.get_object(Bucket=payload["s3_bucket"], Key=payload["manifest_key"])["Body"]
        yield from (str(item["s3_key"]) for item in ijson.items(body, "item"))
        return
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=payload["s3_bucket"], Prefix=payload["prefix"])
    for page in pages:
        yield from (str(entry["Key"]) for entry in page.get("Contents", []))


def _result(record: dict[str, Any]) -> ItemResult:
    given = json.loads(record["Input"])
    output = json.loads(record["Output"]) if record.get("Output") else {}
    # An image for review is no failure of the batch: its execution succeeds and says so in its output.
    error = record.get("Error") or output.get("error")
    duration = datetime.fromisoformat(record["StopDate"]) - datetime.fromisoformat(record["StartDate"])
    inferences = output.get("inferences")
    return ItemResult(
        s3_bucket=given["s3_bucket"],
        s3_key=given["s3_key"],
        outcome=error or record["Status"],
        label=output.get("label"),
        confidence=output.get("confidence"),
        inferences=tuple(inferences) if inferences is not None else None,
        message=history.error_message(record.get("Cause") or output.get("cause")),
        milliseconds=duration.total_seconds() * 1000,
        execution_arn=record["ExecutionArn"],
    )

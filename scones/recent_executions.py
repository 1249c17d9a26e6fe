"""What the executions of the workflow did, as the report tells it."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from monitoring.report.content import Disposition, ReportedImage
from orchestration.executions import Image, Outcome
from orchestration.history import StateVisit, describe, visits

BELOW_THRESHOLD = "ThresholdConfidenceNotMet"
_FILTER = "FilterInferences"
_LARGEST = 8 << 20
_WORKERS = 4


@dataclass(frozen=True)
class Inspected:
    """An execution's stays in its states, and the inferences with which it entered the filter: None if it did not."""

    states: tuple[StateVisit, ...]
    inferences: tuple[float, float] | None


def inspect(stepfunctions: Any, execution_arn: str) -> Inspected:
    """Read one execution's history."""
    pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    events = [event for page in pages for event in page["events"]]
    inferences = None
    for event in events:
        entered = event.get("stateEnteredEventDetails") or {}
        if entered.get("name") == _FILTER:
            inferences = _pair(entered.get("input"))
    return Inspected(visits(events), inferences)


def inspect_all(
    stepfunctions: Any, arns: Sequence[str], advance: Callable[[int, int], None] = lambda _done, _total: None
) -> dict[str, Inspected]:
    """Read the histories of several executions, by their ARNs."""
    found = {}
    with ThreadPoolExecutor(_WORKERS) as pool:
        for arn, inspected in zip(arns, pool.map(lambda arn: inspect(stepfunctions, arn), arns), strict=True):
            found[arn] = inspected
            advance(len(found), len(arns))
    return found


def recent(stepfunctions: Any, state_machine_arn: str, most: int) -> list[Outcome]:
    """Return the newest executions of a state machine that have ended, at most ``most``, the oldest of them first."""
    pages = stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine_arn, PaginationConfig={"MaxItems": most, "PageSize": min(most, 100)}
    )
    arns = [entry["executionArn"] for page in pages for entry in page["executions"] if entry["status"] != "RUNNING"]
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(lambda arn: _outcome(stepfunctions, arn), reversed(arns)))


def reported(
    outcomes: Sequence[Outcome],
    inspected: Mapping[str, Inspected],
    labels: Mapping[str, int],
    content: Callable[[Image], bytes | None],
) -> list[ReportedImage]:
    """Say of each outcome what the report says of it; ``labels`` are by key, ``content`` reads an image's bytes."""
    images = []
    for outcome in outcomes:
        seen = inspected.get(outcome.execution_arn, Inspected((), None))
        said = _pair(json.dumps(outcome.output)) if outcome.output else seen.inferences
        images.append(
            ReportedImage(
                name=outcome.image.s3_key.rsplit("/", 1)[-1],
                disposition=_disposition(outcome),
                inferences=said,
                label=labels.get(outcome.image.s3_key),
                content=content(outcome.image),
                execution=outcome.execution_arn.rsplit(":", 1)[-1],
                milliseconds=outcome.milliseconds,
                error=outcome.error,
                message=outcome.message,
                states=seen.states,
            )
        )
    return images


def reader(s3: Any, staged: Path) -> Callable[[Image], bytes | None]:
    """Return what reads an image: from the folder of staged data sets where it is there, else from S3.

    It gives None for an image that is gone or over 8 MB.
    """

    def read(image: Image) -> bytes | None:
        path = staged.joinpath(*image.s3_key.removeprefix("datasets/").split("/"))
        if image.s3_key.startswith("datasets/") and ".." not in path.parts and path.is_file():
            return path.read_bytes()
        try:
            found = s3.get_object(Bucket=image.s3_bucket, Key=image.s3_key)
            return bytes(found["Body"].read()) if found["ContentLength"] <= _LARGEST else None
        except ClientError:
            return None

    return read


def _outcome(stepfunctions: Any, arn: str) -> Outcome:
    found = describe(stepfunctions, arn)
    given = _object(found.input)
    stopped = found.stopped or found.started
    return Outcome(
        image=Image(str(given.get("s3_bucket", "")), str(given.get("s3_key", "an input that names no image"))),
        execution_arn=arn,
        status=found.status,
        output=_object(found.output) or None,
        error=found.error,
        cause=found.cause,
        milliseconds=(stopped - found.started).total_seconds() * 1000,
    )


def _disposition(outcome: Outcome) -> Disposition:
    if outcome.status == "SUCCEEDED":
        return "accepted"
    if outcome.status != "FAILED":
        return "other"
    return "review" if outcome.error == BELOW_THRESHOLD else "failure"


def _pair(text: str | None) -> tuple[float, float] | None:
    match _object(text).get("inferences"):
        case [int() | float() as bicycle, int() | float() as motorcycle]:
            return float(bicycle), float(motorcycle)
    return None


def _object(text: str | None) -> dict[str, Any]:
    """The object in a JSON text; an execution's input may be anything."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

"""Recent executions of the workflow, as the report shows them."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.aws_errors import UNREADABLE
from core.defaults import DATASETS
from core.json_objects import parse_json_object
from monitoring.report.content import Disposition, ReportedImage
from orchestration import history
from orchestration.executions import Outcome, S3Image, outcome_of
from orchestration.history import StateVisit, visits

BELOW_THRESHOLD = "ThresholdConfidenceNotMet"
_FILTER = "FilterInferences"
_MAX_BYTES = 8 << 20
_WORKERS = 4


@dataclass(frozen=True)
class ExecutionHistory:
    """An execution's state visits, and the inferences with which it entered the filter; None if it did not."""

    states: tuple[StateVisit, ...]
    inferences: tuple[float, float] | None


def read_history(stepfunctions: Any, execution_arn: str) -> ExecutionHistory:
    """Read one execution's history."""
    events = list(history.events(stepfunctions, execution_arn))
    inferences = None
    for event in events:
        entered = event.get("stateEnteredEventDetails") or {}
        if entered.get("name") == _FILTER:
            inferences = _pair(entered.get("input"))
    return ExecutionHistory(visits(events), inferences)


def read_histories(
    stepfunctions: Any, arns: Sequence[str], advance: Callable[[int, int], None] = lambda _done, _total: None
) -> dict[str, ExecutionHistory]:
    """Read the histories of several executions, by their ARNs."""
    histories = {}
    with ThreadPoolExecutor(_WORKERS) as pool:
        for arn, history in zip(arns, pool.map(lambda arn: read_history(stepfunctions, arn), arns), strict=True):
            histories[arn] = history
            advance(len(histories), len(arns))
    return histories


def recent(stepfunctions: Any, state_machine_arn: str, limit: int) -> list[Outcome]:
    """Return the newest executions of a state machine that have ended, at most ``limit``, the oldest of them first.

    Executions that ended in the state Skipped are left out.
    """
    pages = stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine_arn, PaginationConfig={"MaxItems": limit, "PageSize": min(limit, 100)}
    )
    arns = [entry["executionArn"] for page in pages for entry in page["executions"] if entry["status"] != "RUNNING"]
    with ThreadPoolExecutor(_WORKERS) as pool:
        outcomes = list(pool.map(lambda arn: _outcome(stepfunctions, arn), reversed(arns)))
    return [each for each in outcomes if each.status != "SUCCEEDED" or "label" in (each.output or {})]


def reported(
    outcomes: Sequence[Outcome],
    histories: Mapping[str, ExecutionHistory],
    labels: Mapping[str, int],
    content: Callable[[S3Image], bytes | None],
) -> list[ReportedImage]:
    """Return each outcome as the report shows it; ``labels`` are by key, ``content`` reads an image's bytes."""
    images = []
    for outcome in outcomes:
        history = histories.get(outcome.execution_arn, ExecutionHistory((), None))
        inferences = _pair(json.dumps(outcome.output)) if outcome.output else history.inferences
        images.append(
            ReportedImage(
                name=outcome.image.s3_key.rsplit("/", 1)[-1],
                disposition=_disposition(outcome),
                inferences=inferences,
                label=labels.get(outcome.image.s3_key),
                content=content(outcome.image),
                execution=outcome.execution_arn.rsplit(":", 1)[-1],
                milliseconds=outcome.milliseconds,
                error=outcome.error,
                message=outcome.message,
                states=history.states,
            )
        )
    return images


def image_reader(s3: Any, staged: Path) -> Callable[[S3Image], bytes | None]:
    """Return a function that reads an image from the folder of staged datasets, otherwise from S3.

    It returns None for an image that is over 8 MB or cannot be read.
    """

    def read(image: S3Image) -> bytes | None:
        path = staged.joinpath(*image.s3_key.removeprefix(f"{DATASETS}/").split("/"))
        if image.s3_key.startswith(f"{DATASETS}/") and ".." not in path.parts:
            # OSError: not staged, or longer than a name on this disk may be; ValueError: with a zero byte
            with suppress(OSError, ValueError):
                return path.read_bytes()
        try:
            response = s3.get_object(Bucket=image.s3_bucket, Key=image.s3_key)
            return bytes(response["Body"].read()) if response["ContentLength"] <= _MAX_BYTES else None
        except UNREADABLE:
            return None

    return read


def _outcome(stepfunctions: Any, arn: str) -> Outcome:
    response = stepfunctions.describe_execution(executionArn=arn)
    payload = parse_json_object(response.get("input") or "")
    name = str(payload.get("s3_key", "an input that names no image"))
    return outcome_of(S3Image(str(payload.get("s3_bucket", "")), name), response)


def _disposition(outcome: Outcome) -> Disposition:
    if outcome.status == "SUCCEEDED":
        return "accepted"
    if outcome.status != "FAILED":
        return "other"
    return "review" if outcome.error == BELOW_THRESHOLD else "failure"


def _pair(text: str | None) -> tuple[float, float] | None:
    match parse_json_object(text or "").get("inferences"):
        case [int() | float() as first, int() | float() as second]:
            return float(first), float(second)
    return None

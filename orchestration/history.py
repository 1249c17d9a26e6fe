"""What happened inside one execution, state by state, from the history that Step Functions keeps of it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from orchestration.errors import ExecutionUnknown, HistoryUnavailable

# The last words of a history event's type, and what they say of the state that the event belongs to
# (https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html).
_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "MapRunStarted")
_FAILED = ("Failed", "TimedOut", "Aborted")
_EXECUTION_ENDED = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")


@dataclass(frozen=True)
class StateVisit:
    """One stay in a state.

    ``milliseconds`` counts from entering to leaving and is None while the execution is still there; ``output_bytes`` is
    None where the state left no output. ``retries`` is how often its task was tried again, ``retried`` the errors that
    led to it; ``error`` and ``cause`` are those with which the state ended, None where it ended well.
    """

    name: str
    entered: datetime
    milliseconds: float | None
    input_bytes: int
    output_bytes: int | None
    retries: int
    error: str | None
    cause: str | None
    retried: tuple[str, ...] = ()

    @property
    def message(self) -> str | None:
        """The error's message, taken out of the JSON in which Lambda wraps it."""
        return unwrapped(self.cause)


@dataclass(frozen=True)
class Execution:
    """An execution as Step Functions describes it; ``stopped`` and ``output`` are None where there are none."""

    arn: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str | None
    output: str | None
    error: str | None
    cause: str | None


def describe(stepfunctions: Any, execution_arn: str) -> Execution:
    """Return the execution; raises ExecutionUnknown, and HistoryUnavailable for one of an Express workflow."""
    answer = _asked(stepfunctions.describe_execution, execution_arn)
    return Execution(
        arn=answer["executionArn"],
        status=answer["status"],
        started=answer["startDate"],
        stopped=answer.get("stopDate"),
        input=answer.get("input"),
        output=answer.get("output"),
        error=answer.get("error"),
        cause=answer.get("cause"),
    )


def history(stepfunctions: Any, execution_arn: str) -> tuple[StateVisit, ...]:
    """Return the execution's stays in its states, in the order of entering.

    Raises ExecutionUnknown, and HistoryUnavailable for an execution of an Express workflow.
    """
    pages = stepfunctions.get_paginator("get_execution_history").paginate
    return visits(event for page in _asked(pages, execution_arn) for event in page["events"])


def visits(events: Iterable[dict[str, Any]]) -> tuple[StateVisit, ...]:
    """Return the stays that a history's events tell of; each event belongs to the stay of the event before it.

    Iterations of a Map and branches of a Parallel state run at once and mix in the history, which is why an event's
    predecessor is the one that it names and not the one that it follows.
    """
    stays: list[_Stay] = []
    stay_of: dict[int, _Stay] = {}
    for event in events:
        entered = event.get("stateEnteredEventDetails")
        if entered:
            stay = _Stay(entered["name"], event["timestamp"], _size(entered.get("input")))
            stays.append(stay)
        elif event.get("previousEventId") in stay_of:
            stay = stay_of[event["previousEventId"]]
            stay.take(event)
        else:
            continue
        stay_of[event["id"]] = stay
    return tuple(stay.visit() for stay in stays)


def map_run_arn(stepfunctions: Any, execution_arn: str) -> str | None:
    """Return the ARN of the Map Run that an execution of a Distributed Map has begun, None before that."""
    runs = stepfunctions.list_map_runs(executionArn=execution_arn)["mapRuns"]
    return str(runs[0]["mapRunArn"]) if runs else None


def unwrapped(cause: str | None) -> str | None:
    """Return the message in the JSON that Lambda makes of an exception; anything else as it is."""
    try:
        wrapped = json.loads(cause or "")
    except (ValueError, RecursionError):
        return cause
    return str(wrapped.get("errorMessage", cause)) if isinstance(wrapped, dict) else cause


class _Stay:
    """A stay in a state while its events are read."""

    def __init__(self, name: str, entered: datetime, input_bytes: int) -> None:
        self.name = name
        self.entered = entered
        self.left: datetime | None = None
        self.input_bytes = input_bytes
        self.output_bytes: int | None = None
        self.tries = 0
        self.failures: list[tuple[str, str | None]] = []
        self.ended_well = False

    def take(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind in _SCHEDULED:
            self.tries += 1
        elif kind.endswith("StateExited"):
            self.left = event["timestamp"]
            self.output_bytes = _size(event["stateExitedEventDetails"].get("output"))
        elif kind in _EXECUTION_ENDED or kind.endswith("StateAborted"):
            self.left = event["timestamp"]
            self._fail(event)
        elif kind.endswith(_FAILED):
            self._fail(event)
        if self.left is None:
            self.ended_well = kind.endswith("Succeeded")

    def _fail(self, event: dict[str, Any]) -> None:
        details: dict[str, Any] = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
        failure = (details.get("error") or event["type"], details.get("cause"))
        repeated = event["type"] in _EXECUTION_ENDED and failure in self.failures[-1:]
        if not repeated:
            self.failures.append(failure)

    def visit(self) -> StateVisit:
        failures, retries = self.failures, max(0, self.tries - 1)
        still_there = self.left is None
        last = failures[-1] if failures and not self.ended_well and not still_there else (None, None)
        return StateVisit(
            name=self.name,
            entered=self.entered,
            milliseconds=None if self.left is None else (self.left - self.entered).total_seconds() * 1000,
            input_bytes=self.input_bytes,
            output_bytes=self.output_bytes,
            retries=retries,
            error=last[0],
            cause=last[1],
            retried=tuple(name for name, _ in failures[:retries]),
        )


def _size(text: str | None) -> int:
    return len((text or "").encode())


def _asked(call: Any, execution_arn: str) -> Any:
    if ":express:" in execution_arn:
        raise HistoryUnavailable(execution_arn)
    try:
        answer = call(executionArn=execution_arn)
        return answer if isinstance(answer, dict) else _pages(answer, execution_arn)
    except ClientError as error:
        raise _named(error, execution_arn) from error


def _pages(pages: Iterable[dict[str, Any]], execution_arn: str) -> Iterator[dict[str, Any]]:
    try:
        yield from pages
    except ClientError as error:
        raise _named(error, execution_arn) from error


def _named(error: ClientError, execution_arn: str) -> Exception:
    unknown = error.response.get("Error", {}).get("Code") in {"ExecutionDoesNotExist", "InvalidArn"}
    return ExecutionUnknown(execution_arn) if unknown else error

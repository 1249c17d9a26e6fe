"""Reads one execution of a Standard workflow: its description, and its history state by state."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.json_objects import error_message
from orchestration.errors import ExecutionNotFound, HistoryUnavailable

# How the types of history events end, by what they mean for the state that the event belongs to
# (https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html).
_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "MapRunStarted")
_FAILED = ("Failed", "TimedOut", "Aborted")
_EXECUTION_ENDED = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")


@dataclass(frozen=True)
class StateVisit:
    """One visit of an execution to a state.

    ``milliseconds`` is the time from entering to leaving, or None while the execution is in the state; ``output_bytes``
    is None if the state has no output. ``retries`` counts the retries of its task, ``retried`` names the errors that
    caused them; ``error`` and ``cause`` are those with which the state ended, or None if it succeeded.
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
        """The error's message, without the JSON that Lambda wraps it in."""
        return error_message(self.cause)


@dataclass(frozen=True)
class Execution:
    """An execution as Step Functions describes it; ``stopped`` and ``output`` are None if it has none."""

    arn: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str | None
    output: str | None
    error: str | None
    cause: str | None


def describe(stepfunctions: Any, execution_arn: str) -> Execution:
    """Return the execution; raises ExecutionNotFound, and HistoryUnavailable for one of an Express workflow."""
    response = _call(stepfunctions.describe_execution, execution_arn)
    return Execution(
        arn=response["executionArn"],
        status=response["status"],
        started=response["startDate"],
        stopped=response.get("stopDate"),
        input=response.get("input"),
        output=response.get("output"),
        error=response.get("error"),
        cause=response.get("cause"),
    )


def history(stepfunctions: Any, execution_arn: str) -> tuple[StateVisit, ...]:
    """Return the execution's visits to its states, in the order of entering.

    Raises ExecutionNotFound, and HistoryUnavailable for an execution of an Express workflow.
    """
    return visits(events(stepfunctions, execution_arn))


def events(stepfunctions: Any, execution_arn: str) -> Iterator[dict[str, Any]]:
    """Yield the events of an execution's history. Raises as :func:`history`."""
    pages = stepfunctions.get_paginator("get_execution_history").paginate
    return (event for page in _call(pages, execution_arn) for event in page["events"])


def visits(events: Iterable[dict[str, Any]]) -> tuple[StateVisit, ...]:
    """Return the visits that a history's events describe; each event belongs to the visit of its predecessor.

    Iterations of a Map and branches of a Parallel state run concurrently and mix in the history, so an event's
    predecessor is the one that it names, not the one before it.
    """
    visits: list[_OpenVisit] = []
    visit_of: dict[int, _OpenVisit] = {}
    for event in events:
        entered = event.get("stateEnteredEventDetails")
        if entered:
            visit = _OpenVisit(entered["name"], event["timestamp"], _size(entered.get("input")))
            visits.append(visit)
        elif event.get("previousEventId") in visit_of:
            visit = visit_of[event["previousEventId"]]
            visit.add(event)
        else:
            continue
        visit_of[event["id"]] = visit
    return tuple(visit.close() for visit in visits)


def map_run_arn(stepfunctions: Any, execution_arn: str) -> str | None:
    """Return the ARN of the Map Run that an execution has started, or None if it has started none."""
    runs = stepfunctions.list_map_runs(executionArn=execution_arn)["mapRuns"]
    return str(runs[0]["mapRunArn"]) if runs else None


class _OpenVisit:
    """A visit to a state while its events are read."""

    def __init__(self, name: str, entered: datetime, input_bytes: int) -> None:
        self.name = name
        self.entered = entered
        self.left: datetime | None = None
        self.input_bytes = input_bytes
        self.output_bytes: int | None = None
        self.attempts = 0
        self.failures: list[tuple[str, str | None]] = []
        self.succeeded = False

    def add(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind in _SCHEDULED:
            self.attempts += 1
        elif kind.endswith("StateExited"):
            self.left = event["timestamp"]
            self.output_bytes = _size(event["stateExitedEventDetails"].get("output"))
        elif kind in _EXECUTION_ENDED or kind.endswith("StateAborted"):
            self.left = event["timestamp"]
            self._fail(event)
        elif kind.endswith(_FAILED):
            self._fail(event)
        if self.left is None:
            self.succeeded = kind.endswith("Succeeded")

    def _fail(self, event: dict[str, Any]) -> None:
        details: dict[str, Any] = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
        failure = (details.get("error") or event["type"], details.get("cause"))
        repeated = event["type"] in _EXECUTION_ENDED and failure in self.failures[-1:]
        if not repeated:
            self.failures.append(failure)

    def close(self) -> StateVisit:
        failures, retries = self.failures, max(0, self.attempts - 1)
        last = failures[-1] if failures and not self.succeeded and self.left is not None else (None, None)
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


def _call(operation: Any, execution_arn: str) -> Any:
    if ":express:" in execution_arn:
        raise HistoryUnavailable(execution_arn)
    try:
        response = operation(executionArn=execution_arn)
        return response if isinstance(response, dict) else _pages(response, execution_arn)
    except ClientError as error:
        raise _translated(error, execution_arn) from error


def _pages(pages: Iterable[dict[str, Any]], execution_arn: str) -> Iterator[dict[str, Any]]:
    try:
        yield from pages
    except ClientError as error:
        raise _translated(error, execution_arn) from error


def _translated(error: ClientError, execution_arn: str) -> Exception:
    unknown = error_code(error) in {"ExecutionDoesNotExist", "InvalidArn"}
    return ExecutionNotFound(execution_arn) if unknown else error

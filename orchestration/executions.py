"""Starts executions of the state machine and waits for them to end.

Step Functions' rate limits are token buckets, of DescribeExecution 300 requests that refill at 15 a second
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). Running executions are therefore read in one
ListExecutions, and each execution is described once it is not in that list any more. A throttled request says nothing
about an execution: it is sent again at the next poll.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from core.aws_errors import is_throttled
from core.json_objects import error_message, parse_json_object
from core.waiting import WaiterConfig
from orchestration.errors import ExecutionTimeout

WAITER = WaiterConfig(timeout_seconds=600, poll_seconds=0.1)
_MAX_POLL_SECONDS = 1.0
_POLL_BACKOFF = 1.5
_WORKERS = 8
_PAGE_SIZE = 1000
_TERMINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True)
class S3Image:
    """An object in S3 to be classified."""

    s3_bucket: str
    s3_key: str


@dataclass(frozen=True)
class Outcome:
    """How one execution ended: with an output, or with an error's name and cause, and after how many milliseconds."""

    image: S3Image
    execution_arn: str
    status: str
    output: dict[str, Any] | None
    error: str | None
    cause: str | None
    milliseconds: float

    @property
    def message(self) -> str | None:
        """The error's message, without the JSON that Lambda wraps it in."""
        return error_message(self.cause)


OnOutcome = Callable[[Outcome], None]


def execution_name(image: S3Image, run: str) -> str:
    """Return a name made of the run's and the image's: Step Functions does not start two executions of one name.

    At most 80 of ``[A-Za-z0-9_-]`` (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
    """
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", image.s3_key.rsplit("/", 1)[-1])
    return f"{run}-{stem[-(79 - len(run)) :]}"


def run(
    stepfunctions: Any,
    state_machine_arn: str,
    images: Sequence[S3Image],
    *,
    run_name: str,
    threshold: float | None = None,
    concurrency: int = 8,
    waiter: WaiterConfig = WAITER,
    on_outcome: OnOutcome = lambda _: None,
) -> list[Outcome]:
    """Start one execution an image, at most ``concurrency`` at a time, and return their outcomes in the images' order.

    ``threshold`` replaces the stack's threshold. Express workflows are started synchronously, because they cannot be
    described afterwards: the client's read timeout must be longer than their five minutes.
    Raises ExecutionTimeout when an execution runs for longer than the waiter's timeout.
    """
    requests = [
        _Request(image, execution_name(image, f"{run_name}-{number:05d}"), _payload(image, threshold))
        for number, image in enumerate(images)
    ]
    if is_express(stepfunctions, state_machine_arn):
        return _run_synchronously(stepfunctions, state_machine_arn, requests, concurrency, on_outcome)
    with _Tracker(stepfunctions, waiter, on_outcome) as tracker:
        pending = deque(requests)
        while pending or tracker.running:
            count = min(concurrency - len(tracker.running), len(pending))
            pending.extend(tracker.start(state_machine_arn, [pending.popleft() for _ in range(count)]))
            tracker.poll()
        by_name = {outcome.execution_arn.rpartition(":")[2]: outcome for outcome in tracker.outcomes}
    return [by_name[request.name] for request in requests]


def wait(
    stepfunctions: Any,
    execution_arns: Mapping[str, S3Image],
    waiter: WaiterConfig = WAITER,
    on_outcome: OnOutcome = lambda _: None,
) -> list[Outcome]:
    """Wait until executions have ended and return their outcomes in the order of the ARNs. Raises ExecutionTimeout."""
    with _Tracker(stepfunctions, waiter, on_outcome) as tracker:
        for arn, image in execution_arns.items():
            tracker.add(arn, image)
        while tracker.running:
            tracker.poll()
        by_arn = {outcome.execution_arn: outcome for outcome in tracker.outcomes}
    return [by_arn[arn] for arn in execution_arns]


def is_express(stepfunctions: Any, state_machine_arn: str) -> bool:
    """Tell whether a state machine is an Express workflow."""
    return bool(stepfunctions.describe_state_machine(stateMachineArn=state_machine_arn)["type"] == "EXPRESS")


@dataclass(frozen=True)
class _Request:
    """An execution to be started."""

    image: S3Image
    name: str
    payload: str


@dataclass(frozen=True)
class _Running:
    """An execution that has been started; ``deadline`` is a time of the waiter's clock."""

    image: S3Image
    deadline: float


class _Tracker:
    """The executions that are running and the outcomes of those that have ended, in the order in which they ended."""

    def __init__(self, stepfunctions: Any, waiter: WaiterConfig, on_outcome: OnOutcome) -> None:
        self.running: dict[str, _Running] = {}
        self.outcomes: list[Outcome] = []
        self._stepfunctions = stepfunctions
        self._waiter = waiter
        self._on_outcome = on_outcome
        self._interval = waiter.poll_seconds
        self._throttled = False
        self._pool = ThreadPoolExecutor(_WORKERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def start(self, state_machine_arn: str, requests: Sequence[_Request]) -> list[_Request]:
        """Start executions; return the requests that were throttled."""

        def start(request: _Request) -> dict[str, Any] | None:
            response: dict[str, Any] | None = self._unless_throttled(
                self._stepfunctions.start_execution,
                stateMachineArn=state_machine_arn,
                name=request.name,
                input=request.payload,
            )
            return response

        throttled = []
        for request, response in zip(requests, self._pool.map(start, requests), strict=True):
            if response is None:
                throttled.append(request)
            else:
                self.add(response["executionArn"], request.image)
        return throttled

    def add(self, execution_arn: str, image: S3Image) -> None:
        """Track an execution that has been started."""
        self.running[execution_arn] = _Running(image, self._waiter.clock() + self._waiter.timeout_seconds)

    def poll(self) -> None:
        """Wait for one interval, then record the executions that have ended. Raises ExecutionTimeout."""
        self._waiter.sleep(self._interval)
        self._throttled = False
        ended = self._ended()
        for outcome in ended:
            del self.running[outcome.execution_arn]
            self.outcomes.append(outcome)
            self._on_outcome(outcome)
        late = sum(self._waiter.clock() > execution.deadline for execution in self.running.values())
        if late:
            raise ExecutionTimeout(late, self._waiter.timeout_seconds)
        if ended and not self._throttled:
            self._interval = self._waiter.poll_seconds
        else:
            self._interval = min(self._interval * _POLL_BACKOFF, max(_MAX_POLL_SECONDS, self._waiter.poll_seconds))

    def _ended(self) -> list[Outcome]:
        listed: set[str] = set()
        for state_machine_arn in {_state_machine_arn(arn) for arn in self.running}:
            listed |= self._unless_throttled(self._list_running, state_machine_arn) or set()
        if self._throttled:
            return []
        unlisted = [arn for arn in self.running if arn not in listed]
        outcomes = self._pool.map(self._outcome, unlisted)
        return [outcome for outcome in outcomes if outcome is not None]

    def _list_running(self, state_machine_arn: str) -> set[str]:
        pages = self._stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=state_machine_arn, statusFilter="RUNNING", PaginationConfig={"PageSize": _PAGE_SIZE}
        )
        return {entry["executionArn"] for page in pages for entry in page["executions"]}

    def _outcome(self, execution_arn: str) -> Outcome | None:
        """Return an execution's outcome; None while it is running or throttling hides whether it is."""
        response = self._unless_throttled(self._stepfunctions.describe_execution, executionArn=execution_arn)
        if response is None or response["status"] not in _TERMINAL:
            return None
        return outcome_of(self.running[execution_arn].image, response)

    def _unless_throttled(self, operation: Callable[..., Any], *members: Any, **options: Any) -> Any:
        """Return an operation's response, or None if it is throttled; no others are sent until the next poll."""
        if self._throttled:
            return None
        try:
            return operation(*members, **options)
        except ClientError as error:
            if not is_throttled(error):
                raise
            self._throttled = True
            return None


def _run_synchronously(
    stepfunctions: Any, state_machine_arn: str, requests: Sequence[_Request], concurrency: int, on_outcome: OnOutcome
) -> list[Outcome]:
    """Run executions of an Express workflow."""

    def start(request: _Request) -> Outcome:
        response = stepfunctions.start_sync_execution(
            stateMachineArn=state_machine_arn, name=request.name, input=request.payload
        )
        outcome = outcome_of(request.image, response)
        on_outcome(outcome)
        return outcome

    pool = ThreadPoolExecutor(concurrency)
    try:
        return list(pool.map(start, requests))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _state_machine_arn(execution_arn: str) -> str:
    return execution_arn.rpartition(":")[0].replace(":execution:", ":stateMachine:")


def _payload(image: S3Image, threshold: float | None) -> str:
    payload = {"s3_bucket": image.s3_bucket, "s3_key": image.s3_key}
    return json.dumps(payload if threshold is None else payload | {"threshold": threshold})


def outcome_of(image: S3Image, response: dict[str, Any]) -> Outcome:
    """Return the outcome that Step Functions describes."""
    seconds = (response["stopDate"] - response["startDate"]).total_seconds()
    return Outcome(
        image=image,
        execution_arn=response["executionArn"],
        status=response["status"],
        output=parse_json_object(response.get("output") or "") or None,
        error=response.get("error"),
        cause=response.get("cause"),
        milliseconds=seconds * 1000,
    )

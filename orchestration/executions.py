"""Starts executions of the state machine and follows them to their end."""

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from orchestration.errors import ExecutionTimeout
from orchestration.history import unwrapped

_PATIENCE = 1.5
_SELDOMEST = 1.0
_TERMINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True)
class Image:
    """An object in S3 to be classified."""

    s3_bucket: str
    s3_key: str


@dataclass(frozen=True)
class Outcome:
    """How one execution ended: with a label, or with an error's name and cause, after ``milliseconds`` of its own."""

    image: Image
    execution_arn: str
    status: str
    output: dict[str, Any] | None
    error: str | None
    cause: str | None
    milliseconds: float

    @property
    def message(self) -> str | None:
        """The error's message, taken out of the JSON in which Lambda wraps it."""
        return unwrapped(self.cause)


def execution_name(image: Image, run: str) -> str:
    """A name that tells the image and the run: Step Functions then refuses to start the same work twice.

    At most 80 of ``[A-Za-z0-9_-]`` (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
    """
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", image.s3_key.rsplit("/", 1)[-1])
    return f"{run}-{stem[-(79 - len(run)) :]}"


def run(  # noqa: PLR0913 - all but four have a default
    stepfunctions: Any,
    state_machine_arn: str,
    images: Sequence[Image],
    *,
    run_name: str,
    threshold: float | None = None,
    concurrency: int = 8,
    timeout: float = 600.0,
    poll: float = 0.1,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Start one execution an image, at most ``concurrency`` at a time, and return their outcomes in the images' order.

    ``threshold`` is the least confidence that passes, where it is not to be the stack's own; ``timeout`` and ``poll``
    are in seconds. An Express workflow is started synchronously, as it keeps nothing to look at afterwards: the
    client's read timeout must be beyond its five minutes.
    Raises ExecutionTimeout when an execution outlives ``timeout``.
    """
    express = is_express(stepfunctions, state_machine_arn)
    given_up = threading.Event()

    def follow(numbered: tuple[int, Image]) -> Outcome:
        number, image = numbered
        name = execution_name(image, f"{run_name}-{number:05d}")
        if express:
            outcome = run_express(stepfunctions, state_machine_arn, image, name, threshold)
        else:
            arn = start(stepfunctions, state_machine_arn, image, name, threshold)
            outcome = wait(stepfunctions, arn, image, timeout=timeout, poll=poll, given_up=given_up)
        on_outcome(outcome)
        return outcome

    with ThreadPoolExecutor(concurrency) as pool:
        futures = [pool.submit(follow, numbered) for numbered in enumerate(images)]
        try:
            return [future.result() for future in futures]
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def is_express(stepfunctions: Any, state_machine_arn: str) -> bool:
    """Whether a state machine is an Express workflow."""
    return bool(stepfunctions.describe_state_machine(stateMachineArn=state_machine_arn)["type"] == "EXPRESS")


def run_express(
    stepfunctions: Any, state_machine_arn: str, image: Image, name: str, threshold: float | None = None
) -> Outcome:
    """Run one execution of an Express workflow to its end."""
    answer = stepfunctions.start_sync_execution(
        stateMachineArn=state_machine_arn, name=name, input=_payload(image, threshold)
    )
    return _outcome(image, answer)


def start(stepfunctions: Any, state_machine_arn: str, image: Image, name: str, threshold: float | None = None) -> str:
    """Start one execution and return its ARN."""
    answer = stepfunctions.start_execution(
        stateMachineArn=state_machine_arn, name=name, input=_payload(image, threshold)
    )
    arn: str = answer["executionArn"]
    return arn


def wait(
    stepfunctions: Any,
    execution_arn: str,
    image: Image,
    *,
    timeout: float,
    poll: float,
    given_up: threading.Event | None = None,
) -> Outcome:
    """Wait until the execution has ended; raises ExecutionTimeout after ``timeout`` seconds, or once it is given up.

    Looks after ``poll`` seconds, then ever less often, but at least once a second.
    """
    deadline, stop = time.monotonic() + timeout, given_up or threading.Event()
    while True:
        answer = stepfunctions.describe_execution(executionArn=execution_arn)
        if answer["status"] in _TERMINAL:
            return _outcome(image, answer)
        if stop.wait(poll) or time.monotonic() > deadline:
            raise ExecutionTimeout(1, timeout)
        poll = min(poll * _PATIENCE, _SELDOMEST)


def state_input(stepfunctions: Any, execution_arn: str, state: str) -> dict[str, Any] | None:
    """Return the input with which an execution entered a state, None where it never did; the last entry counts."""
    pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution_arn, reverseOrder=True)
    for page in pages:
        for event in page["events"]:
            entered = event.get("stateEnteredEventDetails")
            if entered and entered["name"] == state:
                found: dict[str, Any] = json.loads(entered["input"])
                return found
    return None


def queue_length(sqs: Any, queue_url: str) -> int:
    """Return the number of messages in a queue, those being handled included. On AWS it is approximate by nature."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def _payload(image: Image, threshold: float | None) -> str:
    given = {"s3_bucket": image.s3_bucket, "s3_key": image.s3_key}
    return json.dumps(given if threshold is None else given | {"threshold": threshold})


def _outcome(image: Image, answer: dict[str, Any]) -> Outcome:
    seconds = (answer["stopDate"] - answer["startDate"]).total_seconds()
    return Outcome(
        image=image,
        execution_arn=answer["executionArn"],
        status=answer["status"],
        output=json.loads(answer["output"]) if answer.get("output") else None,
        error=answer.get("error"),
        cause=answer.get("cause"),
        milliseconds=seconds * 1000,
    )

"""Starts a new execution for each message in the failure queue, exactly once."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.queues import Message, delete, receive, release
from orchestration import history
from orchestration.errors import ExecutionNotFound, HistoryUnavailable


@dataclass(frozen=True)
class Redriven:
    """What was done with the failure queue's messages.

    ``started`` are the ARNs of the executions that were started. The other members count messages: ``already_started``
    those whose execution an earlier, interrupted call had started; ``failed_again`` those of executions in ``started``
    that failed again in the meantime; ``remaining`` those that stay in the queue, because they have another error or no
    input.
    """

    started: tuple[str, ...]
    already_started: int
    failed_again: int
    remaining: int


def redrive(
    sqs: Any,
    stepfunctions: Any,
    queue_url: str,
    state_machine_arn: str,
    *,
    errors: Collection[str] = (),
    executions: Collection[str] = (),
) -> Redriven:
    """Start each failed execution in the queue again; with ``errors`` or ``executions``, only those.

    A message is deleted after its execution has started. The new execution's name derives from the failed one, and Step
    Functions refuses a second execution of that name, so a call that was interrupted in between can be repeated. An
    Express workflow does not refuse it and may run twice. Executions that fail again stay in the queue.
    """
    started: dict[str, None] = {}
    already_started = failed_again = 0
    kept: list[Message] = []
    try:
        for message in receive(sqs, queue_url):
            payload = _input(stepfunctions, message)
            is_new_failure = message.execution_arn in started
            failed_again += is_new_failure
            is_selected = (not errors or message.error in errors) and (
                not executions or message.execution_arn in executions
            )
            if is_new_failure or not is_selected or payload is None:
                kept.append(message)
                continue
            arn = _start(stepfunctions, state_machine_arn, redrive_name(message.execution_arn, payload), payload)
            if arn is None or arn in started:
                already_started += 1
            else:
                started[arn] = None
            delete(sqs, queue_url, [message])
    finally:
        release(sqs, queue_url, kept)
    return Redriven(tuple(started), already_started, failed_again, len(kept) - failed_again)


def count_errors(sqs: Any, queue_url: str, errors: Collection[str] = ()) -> Counter[str]:
    """Count the failure queue's messages by the error's name, with ``errors`` only those; they stay in the queue."""
    counts: Counter[str] = Counter()
    messages: list[Message] = []
    try:
        for message in receive(sqs, queue_url):
            messages.append(message)
            if not errors or message.error in errors:
                counts[message.error or "unnamed"] += 1
    finally:
        release(sqs, queue_url, messages)
    return counts


def redrive_name(execution_arn: str, payload: str) -> str:
    """Return the name of the new execution for a failed one: the same for the same failure."""
    return f"redrive-{hashlib.sha256(f'{execution_arn} {payload}'.encode()).hexdigest()[:40]}"


def _start(stepfunctions: Any, state_machine_arn: str, name: str, payload: str) -> str | None:
    """Start an execution and return its ARN, or None if an execution of that name exists."""
    try:
        response = stepfunctions.start_execution(stateMachineArn=state_machine_arn, name=name, input=payload)
    except ClientError as error:
        if error_code(error) == "ExecutionAlreadyExists":
            return None
        raise
    return str(response["executionArn"])


def _input(stepfunctions: Any, message: Message) -> str | None:
    """Return the failed execution's input: the message's, or the execution's if it was too large for a message."""
    if "input" in message.body:
        return json.dumps(message.body["input"], sort_keys=True)
    if not message.execution_arn:
        return None
    try:
        return history.describe(stepfunctions, message.execution_arn).input
    except (ExecutionNotFound, HistoryUnavailable):
        return None

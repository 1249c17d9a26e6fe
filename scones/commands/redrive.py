"""`scones redrive`."""

from collections import Counter
from typing import Annotated, Any

import typer

from core.waiting import WaiterConfig
from orchestration import executions, failure_queue
from orchestration.executions import Outcome, S3Image
from scones import console
from scones.context import CommandContext
from scones.options import with_context
from scones.recent_executions import BELOW_THRESHOLD

_WAITER = WaiterConfig(timeout_seconds=900, poll_seconds=0.2)


@with_context("target", "stack", "home", "as_json")
def redrive(
    context: CommandContext,
    error: Annotated[
        list[str] | None,
        typer.Option(
            "--error", help="Only images that failed with this error, for example EndpointUnavailable; repeatable."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the failed images by error, without starting anything.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the executions; exit code 1 if one fails again.")
    ] = False,
) -> None:
    """Start a new execution for each image in the failure queue.

    After an interruption, run it again: a Standard workflow starts no image twice.

    Example: `scones redrive --error EndpointUnavailable --wait`
    """
    outputs, sqs, stepfunctions = context.outputs, context.client("sqs"), context.client("stepfunctions")
    if wait and executions.is_express(stepfunctions, outputs.state_machine_arn):
        console.note("executions of an Express workflow cannot be followed: images that fail again return to the queue")
        wait = False
    if dry_run:
        with console.progress("reading the failure queue"):
            waiting = failure_queue.count_errors(sqs, outputs.failure_queue_url, error or ())
        _print(context, {"waiting": waiting.total(), "errors": dict(waiting.most_common())})
        return
    with console.progress("starting executions"):
        redriven = failure_queue.redrive(
            sqs, stepfunctions, outputs.failure_queue_url, outputs.state_machine_arn, errors=error or ()
        )
    values: dict[str, Any] = {  # the keys of version 1.0
        "started": len(redriven.started),
        "already": redriven.already_started,
        "failed_again": redriven.failed_again,
        "left": redriven.remaining,
    }
    ended = _follow(stepfunctions, redriven.started) if wait else Counter[str]()
    _print(context, values | ({"outcomes": dict(ended.most_common())} if wait else {}))
    if set(ended) - {"SUCCEEDED", BELOW_THRESHOLD}:
        raise typer.Exit(1)


def _follow(stepfunctions: Any, arns: tuple[str, ...]) -> Counter[str]:
    """Wait for executions and count how they ended."""
    ended: Counter[str] = Counter()
    with console.progress("following executions") as advance:

        def count(outcome: Outcome) -> None:
            ended[outcome.error or outcome.status] += 1
            advance(ended.total(), len(arns))

        executions.wait(stepfunctions, dict.fromkeys(arns, S3Image("", "")), _WAITER, count)
    return ended


def _print(context: CommandContext, values: dict[str, Any]) -> None:
    if context.as_json:
        console.print_json(values)
        return
    texts = {name: console.counts(value) if isinstance(value, dict) else value for name, value in values.items()}
    console.print_values({name.replace("_", " "): text for name, text in texts.items()})

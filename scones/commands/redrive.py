"""`scones redrive`: starts what failed again."""

from collections import Counter
from typing import Annotated, Any

import typer

from core.waiting import WaiterConfig
from orchestration import executions, queues
from orchestration.executions import Image, Outcome
from scones import aws, console, options, pipeline
from scones.recent_executions import BELOW_THRESHOLD

_WAITER = WaiterConfig(timeout_seconds=900, poll_seconds=0.2)


def redrive(
    error: Annotated[
        list[str] | None,
        typer.Option(
            "--error", help="Only executions that failed with this error, e.g. EndpointUnavailable; repeatable."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what is in the failure queue, by error; start nothing.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow what was started to its end; exit code 1 if any of it fails again.")
    ] = False,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Start the executions in the failure queue again, each once, and say how many.

    Safe to repeat: what an interrupted call has started already is not started twice.

    Example: `scones redrive --error EndpointUnavailable --wait`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    sqs, stepfunctions = session.client("sqs"), session.client("stepfunctions")
    if wait and executions.is_express(stepfunctions, deployed.state_machine_arn):
        console.err.print("an Express workflow keeps nothing to follow: what fails again comes back to the queue")
        wait = False
    if dry_run:
        with console.progress("looking through the failure queue"):
            waiting = queues.count_errors(sqs, deployed.failure_queue_url)
        _tell({"waiting": waiting.total(), "errors": dict(waiting.most_common())}, as_json=as_json)
        return
    with console.progress("starting failed executions again"):
        found = queues.redrive(
            sqs, stepfunctions, deployed.failure_queue_url, deployed.state_machine_arn, errors=error or ()
        )
    told: dict[str, Any] = vars(found) | {"started": len(found.started)}
    ended = _followed(stepfunctions, found.started) if wait else Counter[str]()
    _tell(told | ({"outcomes": dict(ended.most_common())} if wait else {}), as_json=as_json)
    if set(ended) - {"SUCCEEDED", BELOW_THRESHOLD}:
        raise typer.Exit(1)


def _followed(stepfunctions: Any, arns: tuple[str, ...]) -> Counter[str]:
    """Wait for executions and count how they ended."""
    ended: Counter[str] = Counter()
    with console.progress("following them") as advance:

        def count(outcome: Outcome) -> None:
            ended[outcome.error or outcome.status] += 1
            advance(ended.total(), len(arns))

        executions.wait(stepfunctions, dict.fromkeys(arns, Image("", "")), _WAITER, count)
    return ended


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    if not as_json:
        counted = {name: value for name, value in found.items() if isinstance(value, dict)}
        found |= {name: ", ".join(f"{k} {n}" for k, n in value.items()) or "none" for name, value in counted.items()}
        found = {name.replace("_", " "): value for name, value in found.items()}
    console.tell(found, as_json=as_json)

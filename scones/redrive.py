"""`scones redrive`: starts what failed again."""

from dataclasses import asdict
from typing import Annotated

import typer

from orchestration import queues
from scones import aws, console, options, pipeline


def redrive(
    error: Annotated[
        list[str] | None,
        typer.Option(
            "--error", help="Only executions that failed with this error, e.g. EndpointUnavailable; repeatable."
        ),
    ] = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Start the executions in the failure queue again, each once, and say how many.

    Safe to repeat: what an interrupted call has started already is not started twice.

    Example: `scones redrive --error EndpointUnavailable`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    with console.progress("starting failed executions again"):
        found = queues.redrive(
            session.client("sqs"),
            session.client("stepfunctions"),
            deployed.failure_queue_url,
            deployed.state_machine_arn,
            errors=error or (),
        )
    console.tell(asdict(found), as_json=as_json)

"""`scones show`."""

from dataclasses import asdict
from typing import Annotated

import typer

from orchestration import history
from scones import console
from scones.context import CommandContext
from scones.options import with_context
from scones.views import execution as view


@with_context("target", "stack", "home", "as_json")
def show(
    context: CommandContext,
    execution: Annotated[str, typer.Argument(help="ARN of an execution, or the name of a single-image execution.")],
) -> None:
    """Show the history of one execution.

    For each state: duration, sizes of input and output, retries, error.

    Example: `scones show run-20261124T101500000000-00000-bicycle-png`
    """
    arn = execution
    if not execution.startswith("arn:"):
        machine = context.outputs.state_machine_arn
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
    stepfunctions = context.client("stepfunctions")
    description, visits = history.describe(stepfunctions, arn), history.history(stepfunctions, arn)
    if context.as_json:
        states = [asdict(visit) | {"message": visit.message} for visit in visits]
        console.print_json(asdict(description) | {"states": states})
    else:
        view.show(description, visits)

"""`scones show`: what happened in one execution, state by state."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from orchestration import history
from orchestration.history import Execution, StateVisit
from scones import aws, console, options, pipeline


def show(
    execution: Annotated[
        str, typer.Argument(help="An execution's ARN, or its name alone for one of the single-image workflow.")
    ],
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Print an execution's history: each state, its time, the sizes of its input and output, retries and errors.

    Example: `scones show run-20261124T101500-00000-bicycle-png`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    arn = execution
    if not execution.startswith("arn:"):
        machine = pipeline.deployed(session, settings).state_machine_arn
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
    stepfunctions = session.client("stepfunctions")
    found = history.describe(stepfunctions, arn)
    visits = history.history(stepfunctions, arn)
    if as_json:
        states = [asdict(visit) | {"message": visit.message} for visit in visits]
        console.print_json(asdict(found) | {"states": states})
    else:
        _print(found, visits)


def _print(found: Execution, visits: tuple[StateVisit, ...]) -> None:
    colour = {"SUCCEEDED": "green", "RUNNING": "yellow"}.get(found.status, "red")
    duration = f" after {(found.stopped - found.started).total_seconds():.2f} s" if found.stopped else ""
    console.out.print(f"[{colour}]{found.status}[/]{duration}  {console.escape(found.arn)}", soft_wrap=True)
    console.out.print(f"started {found.started:%Y-%m-%d %H:%M:%S %Z}", highlight=False)
    rows = Table("state", "at", "ms", "in", "out", "retries", "error")
    for visit in visits:
        rows.add_row(
            visit.name,
            f"+{(visit.entered - found.started).total_seconds():.3f} s",
            "…" if visit.milliseconds is None else f"{visit.milliseconds:.0f}",
            size(visit.input_bytes),
            "" if visit.output_bytes is None else size(visit.output_bytes),
            _retries(visit),
            _error(visit),
        )
    console.out.print(rows)


def size(count: int) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{count} B" if count < 1024 else f"{count / 1024:.1f} KiB"


def _retries(visit: StateVisit) -> str:
    causes = console.escape(", ".join(dict.fromkeys(visit.retried)))
    return f"{visit.retries} ({causes})" if causes else str(visit.retries or "")


def _error(visit: StateVisit) -> str:
    if visit.error is None:
        return ""
    return f"[red]{console.escape(visit.error)}[/] {console.escape(visit.message or '')}".rstrip()

"""The screen of `scones show`: one execution, state by state."""

from orchestration.history import Execution, StateVisit
from scones import console
from scones.tables import FoldingTable


def show(execution: Execution, visits: tuple[StateVisit, ...]) -> None:
    """Print an execution and its state visits."""
    colour = {"SUCCEEDED": "green", "RUNNING": "yellow"}.get(execution.status, "red")
    duration = f" after {(execution.stopped - execution.started).total_seconds():.2f} s" if execution.stopped else ""
    status = f"[{colour}]{execution.status}[/]"
    console.out.print(f"{status}{duration}  {console.escape(execution.arn)}", soft_wrap=True)
    console.print_line(f"started {execution.started:%Y-%m-%d %H:%M:%S %Z}")
    table = FoldingTable("state", "at", "ms", "in", "out", "retries", "error")
    for visit in visits:
        table.add_row(
            console.escape(visit.name),
            f"+{(visit.entered - execution.started).total_seconds():.3f} s",
            "…" if visit.milliseconds is None else f"{visit.milliseconds:.0f}",
            size(visit.input_bytes),
            "" if visit.output_bytes is None else size(visit.output_bytes),
            _retries(visit),
            _error(visit),
        )
    console.out.print(table)


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

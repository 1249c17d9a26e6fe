"""The lines of `scones deploy` and `scones destroy`: changes before they are made, and events while they are."""

from collections.abc import Sequence

from orchestration.stack import Change, StackEvent
from orchestration.stack_difference import Difference, Drift
from scones import console

_REPLACEMENT = {"True": "replaced by a new one", "Conditional": "may be replaced"}


def show_change(change: Change) -> None:
    """Write one change of a change set, with what it replaces."""
    replacement = _REPLACEMENT.get(change.replacement or "")
    suffix = f"  [yellow]{replacement}[/]" if replacement else ""
    line = console.escape(f"  {change.action:7} {change.resource_type:38} {change.resource}")
    console.err.print(line + suffix, soft_wrap=True)


def show_difference(difference: Difference, drifts: Sequence[Drift]) -> None:
    """Write what a deployment would change, and what was changed outside of CloudFormation."""
    for change in difference.changes:
        show_change(change)
    for name, (before, after) in difference.parameters.items():
        console.print_line(f"  {name}: {before} -> {after}" if before is not None else f"  {name}: {after}")
    for line in difference.template:
        console.print_line(line, {"+": "green", "-": "red"}.get(line[0], ""))
    for drift in drifts:
        properties = f": {', '.join(drift.properties)}" if drift.properties else ""
        console.print_line(f"  {drift.status} outside of CloudFormation: {drift.resource}{properties}", "yellow")
    if not (difference.changes or difference.parameters or difference.template or drifts):
        console.note("no difference: the stack is up to date")


def show_event(event: StackEvent) -> None:
    """Write an event that ends something."""
    if event.status.endswith(("_COMPLETE", "_FAILED")):
        console.note(f"  {event.status:20} {event.resource} {event.reason}".rstrip(), "dim")

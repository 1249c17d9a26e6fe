"""The lines of `scones deploy` and `scones destroy`: changes before they are made, and events while they are."""

from orchestration.stack import Change, StackEvent
from scones import console

_REPLACEMENT = {"True": "replaced by a new one", "Conditional": "may be replaced"}


def show_change(change: Change) -> None:
    """Write one change of a change set, with what it replaces."""
    replacement = _REPLACEMENT.get(change.replacement or "")
    suffix = f"  [yellow]{replacement}[/]" if replacement else ""
    line = console.escape(f"  {change.action:7} {change.resource_type:38} {change.resource}")
    console.err.print(line + suffix, soft_wrap=True)


def show_event(event: StackEvent) -> None:
    """Write an event that ends something."""
    if event.status.endswith(("_COMPLETE", "_FAILED")):
        console.note(f"  {event.status:20} {event.resource} {event.reason}".rstrip(), "dim")

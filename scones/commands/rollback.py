"""`scones rollback`."""

from scones import console
from scones.context import CommandContext
from scones.options import with_context
from scones.stack_deployment import deployment_progress
from scones.stack_revisions import StackRevisions


@with_context("target", "stack", "home", "yes", "as_json")
def rollback(context: CommandContext) -> None:
    """Return the stack to its template, images and parameters before the last change.

    Shows the changes before it applies them. A second rollback undoes the first.

    Example: `scones rollback --target aws`
    """
    with deployment_progress(context) as (on_changes, on_event):
        deployment = StackRevisions(context.session, context.settings).roll_back(on_changes, on_event)
    if not deployment.changes:
        console.note("nothing to change: the stack is as it was before")
    context.print_values(deployment.outputs)

"""Deploys a stack in the terminal: shows the changes, asks for confirmation, and follows the events with a bar."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from orchestration import bootstrap, stack
from scones import console
from scones.context import CommandContext
from scones.views.stack_changes import show_change, show_event


@contextmanager
def deployment_progress(context: CommandContext) -> Iterator[tuple[stack.OnChanges, stack.OnEvent]]:
    """Yield what a deployment calls: a bar pauses while the user is asked; an interruption leaves it running."""
    with ExitStack() as bar:
        advance = bar.enter_context(console.progress("comparing with the deployed stack"))
        total = done = 0

        def on_changes(changes: tuple[stack.Change, ...]) -> None:
            nonlocal advance, total
            bar.close()
            for change in changes:
                show_change(change)
            context.confirm("Apply these changes?")
            advance, total = bar.enter_context(console.progress("applying")), len(changes)

        def on_event(event: stack.StackEvent) -> None:
            nonlocal done
            done += event.status.endswith("_COMPLETE")
            advance(min(done, total), total)
            show_event(event)

        try:
            yield on_changes, on_event
        except KeyboardInterrupt:
            bar.close()
            if total:
                console.note("CloudFormation continues the deployment; only this command has ended")
            raise


def ensure_bootstrap(context: CommandContext, options: stack.DeploymentOptions) -> None:
    """Create the bootstrap stack, after confirmation, where the account and region has none yet."""
    cloudformation = context.client("cloudformation")
    if not bootstrap.exists(cloudformation):
        console.note(f"{context.session.region_name} has no stack {bootstrap.STACK} yet, which every deployment needs")
        deploy_bootstrap(context, {}, stack.DeploymentOptions(tags=options.tags))


def deploy_bootstrap(
    context: CommandContext, parameters: dict[str, str], options: stack.DeploymentOptions = stack.DEFAULT_OPTIONS
) -> stack.Deployment:
    """Create or update the bootstrap stack."""
    cloudformation, poll = context.client("cloudformation"), context.settings.poll_seconds
    with deployment_progress(context) as (on_changes, on_event):
        return bootstrap.deploy(
            cloudformation, parameters, options=options, on_changes=on_changes, on_event=on_event, poll=poll
        )

"""`scones endpoint status`."""

from dataclasses import asdict

from scones.context import CommandContext
from scones.options import with_context
from training import endpoint_deployment


@with_context("target", "stack", "home", "as_json")
def status(context: CommandContext) -> None:
    """Show the endpoint's status, model and configuration.

    Example: `scones endpoint status --json`
    """
    context.print_values(asdict(endpoint_deployment.status(context.session, context.endpoint_name)))

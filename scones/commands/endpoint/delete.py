"""`scones endpoint delete`."""

from scones import console
from scones.context import CommandContext
from scones.options import with_context
from training import endpoint_deployment
from training.errors import EndpointNotFound


@with_context("target", "stack", "home", "yes", "as_json")
def delete(context: CommandContext) -> None:
    """Delete the endpoint, its configuration, model, scaling and schedule.

    Captures remain in the bucket. On AWS, asks for confirmation.

    Example: `scones endpoint delete -y`
    """
    name = context.endpoint_name
    context.confirm(f"Delete the endpoint {name}?")
    with console.progress("deleting the endpoint"):
        deleted = endpoint_deployment.delete(context.session, name)
    if not deleted:
        raise EndpointNotFound(name)
    console.print_deleted(deleted, as_json=context.as_json)

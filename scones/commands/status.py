"""`scones status`."""

import typer

from scones import console, local_environment
from scones.context import CommandContext
from scones.options import with_context
from scones.views.environment import environment_table

NOT_RUNNING = 3  # as for `systemctl status`


@with_context("home", "as_json", local=True)
def status(context: CommandContext) -> None:
    """Show the local environment's components, their URLs and whether they are healthy.

    Exit code 3 if nothing is running, 1 if a component does not respond.
    """
    found = local_environment.read_status(context.settings)
    if context.as_json:
        health, addresses = dict(found.health), dict(found.addresses)
        console.print_json({"running": found.running, "health": health, "addresses": addresses})
    elif found.running:
        console.out.print(environment_table(found.addresses, found.logs, found.health))
    else:
        console.note(f"nothing is running in {context.settings.home}: `scones up` or `docker compose up` starts it")
    if not found.running:
        raise typer.Exit(NOT_RUNNING)
    if not all(found.health.values()):
        raise typer.Exit(1)

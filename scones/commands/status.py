"""`scones status`."""

import typer

from scones import console, environment_lifecycle
from scones.context import CommandContext, with_context
from scones.views.environment import environment_table

NOT_RUNNING = 3  # as for `systemctl status`


@with_context("home", "as_json", local=True)
def status(context: CommandContext) -> None:
    """Show the local environment's components, their URLs and whether they are healthy.

    Exit code 3 if nothing is running, 1 if a component does not respond.
    """
    current = environment_lifecycle.read_status(context.settings)
    if context.as_json:
        health, addresses = dict(current.health), dict(current.addresses)
        console.print_json({"running": current.running, "health": health, "addresses": addresses})
    elif current.running:
        console.out.print(environment_table(current.addresses, current.logs, current.health))
    else:
        console.note(f"nothing is running in {context.settings.home}: `scones up` or `docker compose up` starts it")
    if not current.running:
        raise typer.Exit(NOT_RUNNING)
    if not all(current.health.values()):
        raise typer.Exit(1)

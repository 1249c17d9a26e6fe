"""`scones status`."""

import typer

from orchestration import stack, stack_outputs
from scones import alarm_addresses, console, environment_lifecycle
from scones.context import CommandContext
from scones.options import with_context
from scones.settings import Target
from scones.views.environment import environment_table

NOT_RUNNING = 3  # as for `systemctl status`


@with_context("target", "stack", "home", "as_json")
def status(context: CommandContext) -> None:
    """Show the local environment's components, their URLs and health; on AWS the stack's status.

    On AWS it also shows which e-mail addresses alarms notify, and whether each has confirmed its subscription.

    Exit code 3 if nothing is running or there is no stack, 1 if a component does not respond or the stack has failed.

    Example: `scones status --target aws`
    """
    if context.settings.target is Target.AWS:
        _show_stack(context)
    else:
        _show_environment(context)


def _show_environment(context: CommandContext) -> None:
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


def _show_stack(context: CommandContext) -> None:
    cloudformation, name = context.client("cloudformation"), context.settings.stack
    current = stack.status(cloudformation, name)
    outputs = {} if current is None else stack_outputs.output_values(cloudformation, name)
    topic = outputs.get("AlarmTopicArn")  # none before the stack has been created
    confirmed = alarm_addresses.alarm_addresses(context.client("sns"), topic) if topic else {}
    if context.as_json:
        console.print_json({"stack": name, "status": current, "alarm_addresses": confirmed})
    elif current is None:
        console.note(f"there is no stack {name}: `scones deploy --target aws` creates it")
    else:
        notified = [address for address, is_confirmed in confirmed.items() if is_confirmed]
        console.print_values({"stack": name, "status": current, "alarms notify": ", ".join(notified) or "nobody"})
    alarm_addresses.note_unconfirmed(confirmed)
    if current is None:
        raise typer.Exit(NOT_RUNNING)
    if "FAILED" in current:
        raise typer.Exit(1)

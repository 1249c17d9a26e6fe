"""`scones down`."""

from emulation.processes import background
from scones import console
from scones.context import CommandContext
from scones.options import with_context


@with_context("home", local=True)
def down(context: CommandContext) -> None:
    """Stop the local environment."""
    home = context.settings.home
    console.note("stopped" if background.stop(home) else f"nothing was running in {home}")

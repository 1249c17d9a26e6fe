"""`scones images build`."""

from scones import container_images
from scones.context import CommandContext
from scones.options import ArchitectureOption, with_context


@with_context("stack", "as_json")
def build(context: CommandContext, architecture: ArchitectureOption = "x86_64") -> None:
    """Build the four container images.

    Their names are STACK/NAME:local. Nothing is pushed.

    Example: `scones images build && docker image ls 'scones/*'`
    """
    context.print_values(container_images.build(context.settings, architecture, container_images.connect()))

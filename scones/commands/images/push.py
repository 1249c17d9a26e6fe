"""`scones images push`."""

from dataclasses import asdict

from scones import console
from scones.container_image_uris import INFERENCE, SERVICES
from scones.container_images import publish
from scones.context import CommandContext
from scones.errors import TargetHasNoRegistry
from scones.options import ArchitectureOption, with_context
from scones.settings import Target


@with_context("target", "stack", "as_json")
def push(context: CommandContext, architecture: ArchitectureOption = "x86_64") -> None:
    """Build the container images that are missing in ECR, and push them.

    The inference image is always x86_64.

    Example: `scones images push --target aws --architecture arm64`
    """
    session, settings = context.session, context.settings
    if settings.target is not Target.AWS:
        raise TargetHasNoRegistry(settings.target)
    published = publish(session, settings, SERVICES, architecture) | publish(session, settings, (INFERENCE,), "x86_64")
    if context.as_json:
        console.print_json({name: asdict(image) for name, image in published.items()})
    else:
        console.print_values({name: image.uri for name, image in published.items()})

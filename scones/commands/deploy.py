"""`scones deploy`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from core.named_values import parse_named_values
from orchestration import stack
from orchestration.names import check_endpoint_name, check_stack_name
from scones import console, container_image_uris
from scones.context import CommandContext
from scones.options import with_context
from scones.settings import Target
from scones.stack_deployment import deploy_with_progress, ensure_bootstrap
from scones.stack_outputs import deploy_stack


@with_context("target", "stack", "home", "yes", "as_json")
def deploy(
    context: CommandContext,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0.5, max=1, help="Minimum confidence to accept without review [default: 0.94]."
        ),
    ] = None,
    architecture: Annotated[
        Literal["x86_64", "arm64"] | None,
        typer.Option("--architecture", help="Architecture of the functions [default: the stack's, otherwise x86_64]."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="A parameter of the template; repeatable."),
    ] = None,
    role_arn: Annotated[
        str | None,
        typer.Option(
            "--role-arn", metavar="ARN", help="IAM role that CloudFormation assumes [default: your credentials]."
        ),
    ] = None,
) -> None:
    """Create or update the stack.

    The stack has a bucket, queues, functions and state machines. Shows the changes before it applies them. On AWS,
    container images that are missing in ECR are built and pushed first. Parameters that are omitted keep their values.

    Example: `scones deploy --target aws --threshold 0.9 --parameter WorkflowType=EXPRESS`
    """
    parameters = _parameters(threshold, architecture, parameter or ())
    check_stack_name(context.settings.stack, context.session.region_name)
    check_endpoint_name(parameters.get("EndpointName", context.settings.default_endpoint_name))
    image_uris: dict[str, str] = {}
    if context.settings.target is Target.AWS:
        ensure_bootstrap(context)
        image_uris = _publish_images(context, parameters.get("Architecture"))
        parameters = _image_parameters(image_uris) | parameters
    deployment = deploy_with_progress(
        context,
        lambda on_changes, on_event: deploy_stack(
            context.session, context.settings, parameters, on_changes, on_event, role_arn
        ),
    )
    if not deployment.changes:
        console.note("nothing to change: the stack is up to date")
    if context.as_json:
        changes = [asdict(change) for change in deployment.changes]
        result = {"stack": context.settings.stack, "changed": bool(changes), "changes": changes, "images": image_uris}
        console.print_json(result | {"outputs": deployment.outputs})
    else:
        console.print_values(deployment.outputs)


def _parameters(threshold: float | None, architecture: str | None, named: Sequence[str]) -> dict[str, str]:
    """Return the template's parameters; CloudFormation itself refuses one that the template does not have."""
    parameters: dict[str, str] = {}
    if architecture is not None:
        parameters["Architecture"] = architecture
    if threshold is not None:
        parameters["Threshold"] = str(threshold)
    return parameters | parse_named_values(named)


def _publish_images(context: CommandContext, architecture: str | None) -> dict[str, str]:
    """Push the functions' images for ``architecture`` or else the stack's; return each URI by its name."""
    if architecture is None:
        current = stack.parameters_of(context.client("cloudformation"), context.settings.stack)
        architecture = current.get("Architecture", "x86_64")
    return container_image_uris.publish(context.session, context.settings, container_image_uris.SERVICES, architecture)


def _image_parameters(image_uris: dict[str, str]) -> dict[str, str]:
    repository = container_image_uris.repository(container_image_uris.INFERENCE)
    return {f"{name.capitalize()}ImageUri": uri for name, uri in image_uris.items()} | {
        "InferenceRepository": repository
    }

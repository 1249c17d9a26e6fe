"""`scones deploy`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from core.named_values import parse_named_values
from orchestration import stack, stack_difference
from orchestration.names import check_endpoint_name, check_stack_name
from orchestration.stack import Deployment, DeploymentOptions
from scones import alarm_addresses, console, container_image_uris
from scones.context import CommandContext
from scones.options import BoundaryOption, TagOption, boundary_parameter, with_context
from scones.settings import Target
from scones.stack_deployment import deployment_progress, ensure_bootstrap
from scones.stack_revisions import StackRevisions
from scones.views.stack_changes import show_difference

ThresholdOption = Annotated[
    float | None,
    typer.Option("--threshold", min=0.5, max=1, help="Minimum confidence to accept without review [default: 0.94]."),
]
ArchitectureOption = Annotated[
    Literal["x86_64", "arm64"] | None,
    typer.Option("--architecture", help="Architecture of the functions [default: the stack's, otherwise x86_64]."),
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="NAME=VALUE", help="A parameter of the template; repeatable."),
]
RoleArnOption = Annotated[
    str | None,
    typer.Option("--role-arn", metavar="ARN", help="IAM role that CloudFormation assumes [default: your credentials]."),
]
ProtectionOption = Annotated[
    bool | None,
    typer.Option(
        "--termination-protection/--no-termination-protection",
        help="Turn termination protection on or off [default: leave it as it is].",
    ),
]
DiffOption = Annotated[
    bool,
    typer.Option("--diff", help="Only show what would change and, on AWS, what was changed outside of CloudFormation."),
]


@with_context("target", "stack", "home", "yes", "as_json")
def deploy(  # noqa: PLR0913, PLR0917 - a command's options
    context: CommandContext,
    threshold: ThresholdOption = None,
    architecture: ArchitectureOption = None,
    parameter: ParameterOption = None,
    diff: DiffOption = False,
    tag: TagOption = None,
    role_arn: RoleArnOption = None,
    permissions_boundary: BoundaryOption = None,
    termination_protection: ProtectionOption = None,
) -> None:
    """Create or update the stack.

    The stack has a bucket, queues, functions and state machines. Shows the changes before it applies them. On AWS,
    container images that are missing in ECR are built and pushed first. Parameters that are omitted keep their values.

    Example: `scones deploy --target aws --threshold 0.9 --parameter WorkflowType=EXPRESS`
    """
    parameters = _parameters(threshold, architecture, parameter or ()) | boundary_parameter(permissions_boundary)
    check_stack_name(context.settings.stack, context.session.region_name)
    check_endpoint_name(parameters.get("EndpointName", context.settings.default_endpoint_name))
    options = DeploymentOptions(role_arn, parse_named_values(tag or ()), termination_protection)
    revisions = StackRevisions(context.session, context.settings, options)
    if diff:
        _show_difference(context, revisions, parameters)
        return
    image_uris: dict[str, str] = {}
    if context.settings.target is Target.AWS:
        ensure_bootstrap(context, options)
        names = container_image_uris.SERVICES
        image_uris = container_image_uris.published_uris(
            context.session, context.settings, names, _architecture(context, parameters)
        )
        parameters = container_image_uris.template_parameters(image_uris) | parameters
    with deployment_progress(context) as (on_changes, on_event):
        deployment = revisions.deploy(parameters, on_changes, on_event)
    _print(context, deployment, image_uris)


def _print(context: CommandContext, deployment: Deployment, image_uris: dict[str, str]) -> None:
    if not deployment.changes:
        console.note("nothing to change: the stack is up to date")
    if context.settings.target is Target.AWS:
        subscribed = alarm_addresses.alarm_addresses(context.client("sns"), deployment.outputs["AlarmTopicArn"])
        alarm_addresses.note_unconfirmed(subscribed)
    if context.as_json:
        changes = [asdict(change) for change in deployment.changes]
        result = {"stack": context.settings.stack, "changed": bool(changes), "changes": changes, "images": image_uris}
        console.print_json(result | {"outputs": deployment.outputs})
    else:
        console.print_values(deployment.outputs)


def _show_difference(context: CommandContext, revisions: StackRevisions, parameters: dict[str, str]) -> None:
    """Print what a deployment would change. On AWS, ask CloudFormation for drift, too."""
    drifts, on_aws = [], context.settings.target is Target.AWS
    if on_aws:
        names, architecture = container_image_uris.SERVICES, _architecture(context, parameters)
        published = container_image_uris.published_uris(
            context.session, context.settings, names, architecture, build=False
        )
        for name in sorted(set(names) - set(published)):
            console.note(f"image {name} is not in ECR: it would be built and pushed")
        parameters = container_image_uris.template_parameters(published) | parameters
    difference = revisions.compare(parameters)
    if on_aws and difference.is_update:
        with console.progress("detecting drift"):
            cloudformation = context.client("cloudformation")
            drifts = stack_difference.detect_drift(cloudformation, context.settings.stack)
    if context.as_json:
        console.print_json(asdict(difference) | {"drift": [asdict(drift) for drift in drifts]})
    else:
        show_difference(difference, drifts)


def _parameters(threshold: float | None, architecture: str | None, named: Sequence[str]) -> dict[str, str]:
    """Return the template's parameters; CloudFormation itself refuses one that the template does not have."""
    parameters: dict[str, str] = {}
    if architecture is not None:
        parameters["Architecture"] = architecture
    if threshold is not None:
        parameters["Threshold"] = str(threshold)
    return parameters | parse_named_values(named)


def _architecture(context: CommandContext, parameters: dict[str, str]) -> str:
    """Return the architecture that is named, else the deployed stack's."""
    if "Architecture" in parameters:
        return parameters["Architecture"]
    current = stack.parameters_of(context.client("cloudformation"), context.settings.stack)
    return current.get("Architecture", "x86_64")

"""`scones endpoint deploy`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import boto3
import typer

from core.defaults import ENDPOINT_INSTANCE_TYPE
from scones import console, container_image_uris, model_comparison, options
from scones.context import CommandContext
from scones.cost_confirmation import BilledInstances, confirm_cost
from scones.endpoint_lifecycle import EndpointLifecycle
from scones.errors import NotComparable
from scones.model_serving import LOCAL_IMAGE, SHIPPED_MODEL, deploy_endpoint
from scones.options import with_context
from scones.settings import Target
from training import endpoint_deployment, jobs
from training.endpoint_settings import EndpointOptions
from training.errors import EndpointNotFound

ImageOption = Annotated[
    str | None,
    typer.Option(
        "--image",
        help="Container image [default on AWS: the project's inference image, built and pushed if ECR lacks it].",
    ),
]
ModelOption = Annotated[
    Path,
    typer.Option("--model", help="Model directory, with model.onnx and model.json.", show_default="the shipped model"),
]
JobOption = Annotated[
    str | None, typer.Option("--job", metavar="JOB", help="Serve this training job's model artifact.")
]
ArtifactOption = Annotated[
    str | None, typer.Option("--artifact", metavar="S3-URI", help="Serve this model artifact (model.tar.gz).")
]
OldArtifactOption = Annotated[str | None, typer.Option("--artefact", hidden=True, help="The old name of --artifact.")]
AlarmOption = Annotated[
    list[str] | None, typer.Option("--alarm", help="CloudWatch alarm that rolls an update back; repeatable.")
]
MaximumOption = Annotated[
    int | None, typer.Option("--max", min=1, help="Maximum number of instances; turns on auto scaling.")
]


@with_context("target", "stack", "home", "yes", "as_json")
def deploy(  # noqa: PLR0913, PLR0917 - a command's options
    context: CommandContext,
    image: ImageOption = None,
    model: ModelOption = SHIPPED_MODEL,
    job: JobOption = None,
    artifact: ArtifactOption = None,
    artefact: OldArtifactOption = None,
    instance_type: Annotated[str, typer.Option("--instance-type", help="Instance type.")] = ENDPOINT_INSTANCE_TYPE,
    capture: Annotated[int, typer.Option("--capture", min=0, max=100, help="Percentage of requests to capture.")] = 100,
    minimum: Annotated[int, typer.Option("--min", min=1, help="Minimum number of instances.")] = 1,
    maximum: MaximumOption = None,
    alarm: AlarmOption = None,
    ttl: Annotated[str | None, typer.Option("--ttl", help="Delete the endpoint after 30m, 4h or 2d.")] = None,
    role: options.RoleOption = None,
    kms_key: Annotated[str | None, typer.Option("--kms-key", help="KMS key that encrypts volume and captures.")] = None,
    subnet: options.SubnetOption = None,
    security_group: options.SecurityGroupOption = None,
) -> None:
    """Create or update the endpoint and wait until it is in service.

    An update is blue/green. Options that you omit return to their defaults: without --max, auto scaling is turned off;
    without --ttl, a scheduled deletion is cancelled. On AWS, shows the price and asks for confirmation. With --job, it
    compares the job's model with the one in service, and asks for confirmation unless the new one is better.

    Example: `scones endpoint deploy --target aws --ttl 4h --min 1 --max 3`
    """
    if maximum is not None and maximum < minimum:
        raise typer.BadParameter(f"--max {maximum} is below --min {minimum}")
    artifact = artifact or artefact
    if job and artifact:
        raise typer.BadParameter("--job and --artifact both specify a model: use one of them")
    options.require_vpc_pair(subnet, security_group)
    session, settings = context.session, context.settings
    lifecycle = EndpointLifecycle(session, context.outputs, context.endpoint_name, maximum, ttl)
    if job is not None:
        _confirm_model(context, job)
    confirm_cost(context, [_billed_instances(context, instance_type, minimum, maximum, ttl)])
    artifact, image = _model_and_image(session, job, artifact, image)
    image = image or container_image_uris.inference_uri(session, settings, instance_type) or LOCAL_IMAGE
    lifecycle.prepare()
    endpoint_options = EndpointOptions(
        kms_key=kms_key, subnets=tuple(subnet or ()), security_groups=tuple(security_group or ()),
        tags=context.outputs.tags, alarms=tuple(alarm or ()), instances=minimum,
    )  # fmt: skip
    with console.progress("creating the endpoint"):
        status = deploy_endpoint(
            session, context.outputs, model_dir=model, model_artifact=artifact, image_uri=image,
            instance_type=instance_type, capture_percent=capture, options=endpoint_options, role_arn=role,
        )  # fmt: skip
    context.print_values(asdict(status) | lifecycle.apply(minimum))


def _confirm_model(context: CommandContext, job: str) -> None:
    """Compare the job's model with the one that is served, and ask before one is deployed that is not better."""
    try:
        with console.progress("comparing the models") as advance:
            models = model_comparison.compare_with_served(context.session, context.outputs, job, advance)
    except NotComparable as error:
        console.note(f"not compared: {error}")
        return
    for name, sentence in model_comparison.sentences(models).items():
        console.note(f"{name}: {sentence}")
    if not models.comparison.is_better and not context.yes:
        typer.confirm("Deploy a model that is not shown to be better?", abort=True, err=True)


def _model_and_image(
    session: boto3.Session, job: str | None, artifact: str | None, image: str | None
) -> tuple[str | None, str | None]:
    """Return what to serve, from the training job where one is named. Raises JobNotFound, JobFailed."""
    if job is None:
        return artifact, image
    status = jobs.completed_status(session, job)
    return status.model_artifact, image or (status.training_image if status.is_builtin else None)


def _billed_instances(
    context: CommandContext, instance_type: str, minimum: int, maximum: int | None, ttl: str | None
) -> BilledInstances:
    """Return the billed instances; an update starts new ones before it stops the old, and needs quota for both."""
    generations = 2 if context.settings.target is Target.AWS and _is_deployed(context) else 1
    billing_note = f"until it is deleted in {ttl}" if ttl else "until `scones endpoint delete`"
    count = f", {minimum} to {maximum} of them" if maximum else f", {minimum} of them" if minimum > 1 else ""
    return BilledInstances(instance_type, "endpoint", billing_note + count, quota=generations * (maximum or minimum))


def _is_deployed(context: CommandContext) -> bool:
    try:
        endpoint_deployment.status(context.session, context.endpoint_name)
    except EndpointNotFound:
        return False
    return True

"""`scones endpoint deploy`."""

from pathlib import Path
from typing import Annotated

import typer

from core.defaults import ENDPOINT_INSTANCE_TYPE
from scones import endpoint_requests, options
from scones.context import CommandContext
from scones.endpoint_requests import EndpointRequest
from scones.options import with_context
from training.endpoint_spec import EndpointOptions
from training.vehicle_net.package import SHIPPED

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
    model: ModelOption = SHIPPED,
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
    endpoint_options = EndpointOptions(
        kms_key=kms_key, subnets=tuple(subnet or ()), security_groups=tuple(security_group or ()),
        tags=context.outputs.tags, alarms=tuple(alarm or ()), instances=minimum,
    )  # fmt: skip
    request = EndpointRequest(
        model_dir=model, job=job, artifact=artifact, image=image, instance_type=instance_type, capture_percent=capture,
        maximum=maximum, ttl=ttl, role=role, options=endpoint_options,
    )  # fmt: skip
    context.print_values(endpoint_requests.deploy(context, request))

"""`scones endpoint`: serve the model, see how it is, ask it, take it down."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer

from core.durations import parse_duration
from scones import aws, console, container_images, cost_confirmation, options, pipeline
from scones.commands.train import RoleOption, SecurityGroupOption, SubnetOption, stack_role
from scones.settings import Settings

LOCAL_IMAGE = "scones/inference:local"

ImageOption = Annotated[
    str | None,
    typer.Option("--image", help="The inference image [default: on AWS built, pushed to ECR and named by digest]."),
]
AlarmOption = Annotated[
    list[str] | None, typer.Option("--alarm", help="CloudWatch alarm that rolls an update back; may be repeated.")
]

app = typer.Typer(help="Serve the model on a SageMaker endpoint with data capture.", no_args_is_help=True)


@app.command()
def deploy(  # noqa: PLR0913, PLR0917 - a command's options
    image: ImageOption = None,
    model: Annotated[
        Path, typer.Option("--model", help="Folder with model.onnx and model.json.")
    ] = pipeline.SHIPPED_MODEL,
    job: Annotated[
        str | None, typer.Option("--job", metavar="JOB", help="Serve what this training job left, not --model.")
    ] = None,
    artefact: Annotated[
        str | None, typer.Option("--artefact", metavar="S3-URL", help="Serve this model.tar.gz, not --model.")
    ] = None,
    instance_type: Annotated[str, typer.Option("--instance-type", help="What it runs on.")] = "ml.m5.xlarge",
    capture: Annotated[int, typer.Option("--capture", min=0, max=100, help="Per cent of requests captured.")] = 100,
    least: Annotated[int, typer.Option("--min", min=1, help="Instances at least.")] = 1,
    most: Annotated[int | None, typer.Option("--max", min=1, help="Instances at most: scales by load.")] = None,
    alarm: AlarmOption = None,
    ttl: Annotated[str | None, typer.Option("--ttl", help="Delete the endpoint after 30m, 4h or 2d.")] = None,
    role: RoleOption = None,
    kms_key: Annotated[str | None, typer.Option("--kms-key", help="Encrypts disk and captures.")] = None,
    subnet: SubnetOption = None,
    security_group: SecurityGroupOption = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Create the endpoint, or update it to another model without downtime, and wait until it is in service.

    It gets what is named and loses what is not: without --max it is not scaled any more, without --ttl it stays.
    On AWS shows the price and asks first. Example: `scones endpoint deploy --target aws --ttl 4h --min 1 --max 3`
    """
    from training.endpoint_settings import EndpointOptions  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    _refuse_contradictions(least, most, job, artefact, subnet, security_group)
    session = aws.session(settings)
    wanted = EndpointOptions(
        kms_key=kms_key,
        subnets=tuple(subnet or ()),
        security_groups=tuple(security_group or ()),
        tags={"scones:stack": settings.stack},
        alarms=tuple(alarm or ()),
        instances=least,
    )
    around = _Around(session, settings, most, ttl)
    cost_confirmation.agree(session, settings, [_expense(instance_type, least, most, ttl)], yes=yes)
    artefact, image = _served(session, job, artefact, image)
    image = image or container_images.inference(session, settings, instance_type) or LOCAL_IMAGE
    around.clear()
    with console.progress("creating the endpoint"):
        status = pipeline.deploy_endpoint(
            session, around.deployed, model_dir=model, artefact=artefact, image_uri=image, instance_type=instance_type,
            capture_percent=capture, options=wanted, role_arn=role,
        )  # fmt: skip
    console.tell(asdict(status) | around.settle(least), as_json=as_json)


class _Around:
    """What an endpoint has beside itself: the stack that it belongs to, its scaling, its planned end."""

    def __init__(self, session: boto3.Session, settings: Settings, most: int | None, ttl: str | None) -> None:
        """Look up what a deployment may fail for later. Raises InvalidDuration, RoleMissing, StackMissing."""
        self._session, self._name, self._most = session, settings.endpoint_name, most
        self._life = parse_duration(ttl) if ttl else None
        self.deployed = pipeline.deployed(session, settings)
        self._role = stack_role(session, settings, "EndpointDeletionRoleArn") if ttl else ""

    def clear(self) -> None:
        """Take scaling away: AWS gives no other instances to a variant that is scaled."""
        from training import endpoint_autoscaling  # noqa: PLC0415
        from training.endpoint_spec import VARIANT  # noqa: PLC0415

        endpoint_autoscaling.deregister_scaling(self._session.client("application-autoscaling"), self._name, VARIANT)

    def settle(self, least: int) -> dict[str, Any]:
        """Give the endpoint what was asked for, and say what that is."""
        from training import endpoint_autoscaling, endpoint_ttl  # noqa: PLC0415
        from training.endpoint_spec import VARIANT  # noqa: PLC0415

        told: dict[str, Any] = {"instances": least, "deleted_at": None}
        if self._most is not None:
            scaling = self._session.client("application-autoscaling")
            endpoint_autoscaling.register_scaling(scaling, self._name, VARIANT, least, self._most)
            told["instances"] = f"{least} to {self._most}"
        scheduler = self._session.client("scheduler")
        if self._life is not None:
            told["deleted_at"] = endpoint_ttl.schedule_deletion(scheduler, self._name, self._role, self._life)
        else:  # only now: an earlier plan must outlast a deployment that fails
            endpoint_ttl.cancel_deletion(scheduler, self._name)
        return told


def _refuse_contradictions(
    least: int,
    most: int | None,
    job: str | None,
    artefact: str | None,
    subnets: list[str] | None,
    security_groups: list[str] | None,
) -> None:
    if most is not None and most < least:
        raise typer.BadParameter(f"--max {most} is below --min {least}")
    if job and artefact:
        raise typer.BadParameter("--job and --artefact both name a model: give one")
    if bool(subnets) != bool(security_groups):
        raise typer.BadParameter("--subnet and --security-group go together: a VPC takes both")


def _served(
    session: boto3.Session, job: str | None, artefact: str | None, image: str | None
) -> tuple[str | None, str | None]:
    """Return the artefact and the image that a training job says. Raises JobMissing, JobFailed."""
    if job is None:
        return artefact, image
    from training import jobs  # noqa: PLC0415

    found = jobs.completed_status(session, job)
    return found.model_artifact, image or (found.training_image if found.is_builtin else None)


def _expense(instance_type: str, least: int, most: int | None, ttl: str | None) -> cost_confirmation.Expense:
    until = f"until it is deleted in {ttl}" if ttl else "until `scones endpoint delete`"
    scaled = f", {least} to {most} of them" if most else f", {least} of them" if least > 1 else ""
    return cost_confirmation.Expense(instance_type, "endpoint", until + scaled)


@app.command()
def status(
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say what the endpoint serves and in which state it is. Example: `scones endpoint status --json`"""
    from training import endpoint_deployment as sagemaker  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    console.tell(asdict(sagemaker.status(aws.session(settings), settings.endpoint_name)), as_json=as_json)


@app.command()
def invoke(
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PNG or JPEG file.")],
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Ask the endpoint about one image, past the workflow. Example: `scones endpoint invoke bicycle.png`"""
    settings = options.settings(target, stack_name, home)
    content_type = "image/png" if image.suffix.lower() == ".png" else "image/jpeg"
    session = aws.session(settings)
    answer = session.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=settings.endpoint_name,
        ContentType=content_type,
        Accept="application/json",
        Body=image.read_bytes(),
    )  # fmt: skip
    names = pipeline.deployed(session, settings).labels
    console.tell(dict(zip(names, json.loads(answer["Body"].read()), strict=True)), as_json=as_json)


@app.command()
def delete(
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Delete the endpoint, its configuration, model, scaling and planned end. Example: `scones endpoint delete -y`"""
    from training import endpoint_autoscaling, endpoint_ttl  # noqa: PLC0415
    from training import endpoint_deployment as sagemaker  # noqa: PLC0415
    from training.endpoint_spec import VARIANT  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    name = settings.endpoint_name
    options.confirm(f"Delete the endpoint {name}?", settings, yes=yes)
    session = aws.session(settings)
    endpoint_autoscaling.deregister_scaling(session.client("application-autoscaling"), name, VARIANT)
    endpoint_ttl.cancel_deletion(session.client("scheduler"), name)
    with console.progress("deleting the endpoint"):
        gone = sagemaker.delete(session, name)
    if as_json:
        console.print_json({"deleted": gone})
    else:
        console.err.print(f"gone: {', '.join(gone)}", highlight=False, soft_wrap=True)

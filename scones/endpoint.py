"""`scones endpoint`: serve the model, see how it is, ask it, take it down."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import boto3
import typer

from orchestration import stack
from scones import aws, console, images, options, pipeline
from scones.settings import Settings, Target

LOCAL_IMAGE = "scones/inference:local"

app = typer.Typer(help="Serve the model on a SageMaker endpoint with data capture.", no_args_is_help=True)


@app.command()
def deploy(  # noqa: PLR0913, PLR0917 - a command's options
    image: Annotated[
        str | None,
        typer.Option("--image", help="The inference image [default: on AWS built, pushed to ECR and named by digest]."),
    ] = None,
    model: Annotated[
        Path, typer.Option("--model", help="Folder with model.onnx and model.json.")
    ] = pipeline.SHIPPED_MODEL,
    artefact: Annotated[
        str | None, typer.Option("--artefact", metavar="S3-URL", help="A training job's model.tar.gz, not --model.")
    ] = None,
    instance_type: Annotated[str, typer.Option("--instance-type", help="What it runs on.")] = "ml.m5.xlarge",
    capture: Annotated[int, typer.Option("--capture", min=0, max=100, help="Per cent of requests captured.")] = 100,
    least: Annotated[int, typer.Option("--min", min=1, help="Instances at least.")] = 1,
    most: Annotated[int | None, typer.Option("--max", min=1, help="Instances at most: scales by load.")] = None,
    alarm: Annotated[
        list[str] | None, typer.Option("--alarm", help="CloudWatch alarm that rolls an update back; may be repeated.")
    ] = None,
    ttl: Annotated[str | None, typer.Option("--ttl", help="Delete the endpoint after 30m, 4h or 2d.")] = None,
    kms_key: Annotated[str | None, typer.Option("--kms-key", help="Encrypts disk and captures.")] = None,
    subnet: Annotated[list[str] | None, typer.Option("--subnet", help="Run in a VPC; may be repeated.")] = None,
    security_group: Annotated[list[str] | None, typer.Option("--security-group", help="With --subnet.")] = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Create the endpoint, or update it to another model without downtime, and wait until it is in service.

    On AWS shows the price and asks first. Example: `scones endpoint deploy --target aws --ttl 4h --min 1 --max 3`
    """
    from training import ttl as lives  # noqa: PLC0415
    from training.hosting import Options  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    if most is not None and most < least:
        raise typer.BadParameter(f"--max {most} is below --min {least}")
    life = lives.parse(ttl) if ttl else None
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    deletion_role = _deletion_role(session, settings) if life else ""
    _ask(session, settings, instance_type, yes=yes)
    image = image or images.inference(session, settings, instance_type) or LOCAL_IMAGE
    wanted = Options(
        kms_key=kms_key,
        subnets=tuple(subnet or ()),
        security_groups=tuple(security_group or ()),
        tags={"scones:stack": settings.stack},
        alarms=tuple(alarm or ()),
        instances=least,
    )
    with console.progress("creating the endpoint"):
        status = pipeline.deploy_endpoint(
            session, deployed, model_dir=model, artefact=artefact, image_uri=image, instance_type=instance_type,
            capture_percent=capture, options=wanted,
        )  # fmt: skip
    told = asdict(status)
    if most is not None:
        _scale(session, settings, least, most)
        told["instances"] = f"{least} to {most}"
    if life is not None:
        scheduler = session.client("scheduler")
        told["deleted_at"] = lives.schedule(scheduler, settings.endpoint_name, deletion_role, life)
    console.tell(told, as_json=as_json)


@app.command()
def status(
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say what the endpoint serves and in which state it is. Example: `scones endpoint status --json`"""
    from training import endpoint as sagemaker  # noqa: PLC0415

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
    answer = aws.session(settings).client("sagemaker-runtime").invoke_endpoint(
        EndpointName=settings.endpoint_name,
        ContentType=content_type,
        Accept="application/json",
        Body=image.read_bytes(),
    )  # fmt: skip
    bicycle, motorcycle = json.loads(answer["Body"].read())
    console.tell({"bicycle": bicycle, "motorcycle": motorcycle}, as_json=as_json)


@app.command()
def delete(
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Delete the endpoint, its configuration, model, scaling and planned end. Example: `scones endpoint delete -y`"""
    from training import autoscaling, ttl  # noqa: PLC0415
    from training import endpoint as sagemaker  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    name = settings.endpoint_name
    options.confirm(f"Delete the endpoint {name}?", settings, yes=yes)
    session = aws.session(settings)
    autoscaling.forget(session.client("application-autoscaling"), name, sagemaker.VARIANT)
    ttl.cancel(session.client("scheduler"), name)
    with console.progress("deleting the endpoint"):
        gone = sagemaker.delete(session, name)
    if as_json:
        console.print_json({"deleted": gone})
    else:
        console.err.print(f"gone: {', '.join(gone)}", highlight=False, soft_wrap=True)


def _ask(session: boto3.Session, settings: Settings, instance_type: str, *, yes: bool) -> None:
    """On AWS look at the quota and show the price before anything is created."""
    if settings.target is not Target.AWS:
        return
    from training import prices, quota  # noqa: PLC0415

    quota.check(session.client("service-quotas"), instance_type, "endpoint", settings.region)
    pricing = session.client("pricing", region_name=prices.PRICING_REGION)
    cost = prices.price(pricing, instance_type, "Hosting", settings.region)
    question = f"This runs {instance_type} until `scones endpoint delete`, each {cost}. Go on?"
    options.confirm(question, settings, yes=yes)


def _deletion_role(session: boto3.Session, settings: Settings) -> str:
    """Return the role with which EventBridge Scheduler deletes the endpoint. Raises RoleMissing."""
    from training.errors import RoleMissing  # noqa: PLC0415

    outputs = stack.outputs(session.client("cloudformation"), settings.stack)
    if "EndpointDeletionRoleArn" not in outputs:
        raise RoleMissing("EndpointDeletionRoleArn")
    return outputs["EndpointDeletionRoleArn"]


def _scale(session: boto3.Session, settings: Settings, least: int, most: int) -> None:
    from training import autoscaling  # noqa: PLC0415
    from training.endpoint import VARIANT  # noqa: PLC0415

    autoscaling.scale(session.client("application-autoscaling"), settings.endpoint_name, VARIANT, least, most)

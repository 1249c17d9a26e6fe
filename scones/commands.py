"""`scones stage`, `endpoint`, `deploy`, `destroy` and `run`: one step at a time."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from orchestration import executions, stack
from scones import aws, console, options, pipeline
from scones.errors import ImagesMissing
from scones.settings import Target

LOCAL_IMAGE = "scones/inference:local"
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"})

endpoint = typer.Typer(help="Serve the model on a SageMaker endpoint with data capture.", no_args_is_help=True)


def stage(
    archive: options.ArchiveOption = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Render vehicles even where CIFAR-100 is at hand.")
    ] = False,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write vehicle images and .lst files and bring them to the stack's bucket. A second run uploads nothing."""
    settings = options.settings(target, stack_name, home, archive)
    session = aws.session(settings)
    bucket = pipeline.deployed(session, settings).data_bucket
    with console.progress("staging") as advance:
        source = pipeline.choose_source(settings, advance, synthetic=synthetic)
        dataset = pipeline.stage(source, session, settings, bucket, advance)
    found = {"dataset": dataset.name, "train": dataset.train, "test": len(dataset.labels), "uploaded": dataset.uploaded}
    found |= {"skipped": dataset.skipped, "address": f"s3://{bucket}/{dataset.prefix}/"}
    _tell(found, as_json=as_json)


@endpoint.command("deploy")
def endpoint_deploy(
    image: Annotated[str, typer.Option("--image", help="The inference image; on AWS an ECR address.")] = LOCAL_IMAGE,
    model: Annotated[
        Path, typer.Option("--model", help="Folder with model.onnx and model.json.")
    ] = pipeline.SHIPPED_MODEL,
    instance_type: Annotated[str, typer.Option("--instance-type", help="What it runs on.")] = "ml.m5.xlarge",
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Create the endpoint, or update it to another model, and wait until it is in service."""
    settings = options.settings(target, stack_name, home)
    if settings.target is Target.AWS and image == LOCAL_IMAGE:
        raise typer.BadParameter("on AWS name the image's ECR address", param_hint="--image")
    options.confirm(
        f"This runs one {instance_type} until `scones endpoint delete`, billed by the second. Go on?", settings, yes=yes
    )
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    with console.progress("creating the endpoint"):
        status = pipeline.deploy_endpoint(
            session, deployed, model_dir=model, image_uri=image, instance_type=instance_type
        )
    _tell(asdict(status), as_json=as_json)


@endpoint.command("status")
def endpoint_status(
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say what the endpoint serves and in which state it is."""
    from training import endpoint as sagemaker  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    _tell(asdict(sagemaker.status(aws.session(settings), settings.endpoint_name)), as_json=as_json)


@endpoint.command("delete")
def endpoint_delete(
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
) -> None:
    """Delete the endpoint, its configuration and its model."""
    from training import endpoint as sagemaker  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    options.confirm(f"Delete the endpoint {settings.endpoint_name}?", settings, yes=yes)
    sagemaker.delete(aws.session(settings), settings.endpoint_name)
    console.err.print(f"endpoint {settings.endpoint_name} is gone")


def deploy(
    repository: Annotated[
        str,
        typer.Option("--repository", help="What stands before /serialize, /classify, /filter in the images' names."),
    ] = "scones",
    tag: Annotated[str, typer.Option("--tag", help="The images' tag.")] = "local",
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0.5, max=1, help="The least confidence that passes without review [default: 0.94]."
        ),
    ] = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Create or update the stack: bucket, queues, functions, state machine. Shows the changes before it makes them."""
    settings = options.settings(target, stack_name, home)
    parameters = {"ImageRepository": repository, "ImageTag": tag}
    if threshold is not None:
        parameters["Threshold"] = str(threshold)

    def show(changes: tuple[stack.Change, ...]) -> None:
        for change in changes:
            console.err.print(f"  {change.action:7} {change.resource_type:38} {change.resource}", highlight=False)
        options.confirm("Apply these changes?", settings, yes=yes)

    with_events = pipeline.deploy_stack(aws.session(settings), settings, parameters, show, _tell_event)
    if not with_events.changes:
        console.err.print("nothing to change: the stack is up to date")
    _tell(dict(with_events.outputs), as_json=as_json)


def destroy(
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
) -> None:
    """Delete the endpoint, every object in the stack's bucket, and the stack."""
    from training import endpoint as sagemaker  # noqa: PLC0415
    from training.errors import EndpointMissing  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    bucket = pipeline.deployed(session, settings).data_bucket
    options.confirm(f"Delete the stack {settings.stack}, its endpoint, and all of s3://{bucket}?", settings, yes=yes)
    try:
        sagemaker.delete(session, settings.endpoint_name)
    except EndpointMissing:
        console.err.print("there was no endpoint")
    _empty(session.client("s3"), bucket)
    stack.delete(session.client("cloudformation"), settings.stack, on_event=_tell_event)
    console.err.print(f"stack {settings.stack} is gone")


def run(
    images: Annotated[
        list[str],
        typer.Argument(help="Files, folders of images, or s3://bucket/key addresses.", metavar="IMAGE…|s3://…"),
    ],
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Executions under way at once.")] = 8,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Send images through the workflow, each as its own execution. Exit code 1 when an image was not classified."""
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    run_name = f"run-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    with console.progress("classifying") as advance:
        inputs = _inputs(session.client("s3"), deployed.data_bucket, run_name, images, advance)
        done = iter(range(1, len(inputs) + 1))
        outcomes = executions.run(
            session.client("stepfunctions"),
            deployed.state_machine_arn,
            inputs,
            run_name=run_name,
            concurrency=concurrency,
            on_outcome=lambda _: advance(next(done), len(inputs)),
        )
    _show(outcomes, as_json=as_json)
    if any(outcome.status != "SUCCEEDED" for outcome in outcomes):
        raise typer.Exit(1)


def _inputs(s3: Any, bucket: str, run_name: str, given: list[str], advance: console.Advance) -> list[executions.Image]:
    """Addresses stay where they are; files are uploaded; folders give the images in them, sorted by name."""
    addresses = [
        executions.Image(*item.removeprefix("s3://").split("/", 1)) for item in given if item.startswith("s3://")
    ]
    paths: list[Path] = []
    for path in (Path(item) for item in given if not item.startswith("s3://")):
        paths += sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES) if path.is_dir() else [path]
    if not addresses and not paths:
        raise ImagesMissing(", ".join(given))
    return addresses + pipeline.upload_images(s3, bucket, f"runs/{run_name}", paths, advance)


def _show(outcomes: list[executions.Outcome], *, as_json: bool) -> None:
    if as_json:
        console.print_json([asdict(outcome) | {"message": outcome.message} for outcome in outcomes])
        return
    table = Table("image", "label", "confidence", "ms")
    for outcome in outcomes:
        name = outcome.image.s3_key.rsplit("/", 1)[-1]
        duration = f"{outcome.milliseconds:.0f}"
        if outcome.output:
            table.add_row(name, f"[green]{outcome.output['label']}[/]", f"{outcome.output['confidence']:.4f}", duration)
        else:
            table.add_row(name, f"[red]{outcome.error}[/]", console.escape(outcome.message or ""), duration)
    console.out.print(table)


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        doomed = [
            {"Key": o["Key"], "VersionId": o["VersionId"]}
            for o in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        if doomed:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})


def _tell(values: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        console.print_json(values)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")  # an address that is cut off is of no use
    for name, value in values.items():
        table.add_row(f"[bold]{name}[/]", console.escape(str(value)))
    console.out.print(table)


def _tell_event(event: stack.StackEvent) -> None:
    if event.status.endswith(("_COMPLETE", "_FAILED")):
        console.err.print(
            f"  {event.status:20} {event.resource} {console.escape(event.reason)}", highlight=False, style="dim"
        )

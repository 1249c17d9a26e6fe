"""`scones train`: a training job, followed live."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer

from orchestration import stack
from scones import aws, console, options, pipeline
from scones.settings import Settings, Target

if TYPE_CHECKING:
    from training.jobs import JobStatus, Order

DATASETS = "datasets"
_PREFERRED = "cifar100"


def train(  # noqa: PLR0913, PLR0917 - a command's options
    recipe: Annotated[
        str, typer.Option("--recipe", help="vehicle-net, builtin, builtin-small or builtin-transfer.")
    ] = "vehicle-net",
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="In place of the recipe's own.")] = None,
    hyperparameter: Annotated[
        list[str] | None, typer.Option("--hyperparameter", metavar="NAME=VALUE", help="May be repeated.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="What `scones stage` uploaded [default: cifar100, else what is there]."),
    ] = None,
    instance_type: Annotated[
        str | None, typer.Option("--instance-type", help="What it runs on [default: ml.g5.xlarge].")
    ] = None,
    spot: Annotated[bool, typer.Option("--spot", help="Managed spot training: cheaper, may be interrupted.")] = False,
    attach: Annotated[str | None, typer.Option("--attach", metavar="JOB", help="Follow a job that runs.")] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Submit, print the job's name, and leave.")] = False,
    kms_key: Annotated[str | None, typer.Option("--kms-key", help="Encrypts disk and artefact.")] = None,
    subnet: Annotated[list[str] | None, typer.Option("--subnet", help="Run in a VPC; may be repeated.")] = None,
    security_group: Annotated[list[str] | None, typer.Option("--security-group", help="With --subnet.")] = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Train a model on the staged data set as a SageMaker job, and follow its log. Ctrl-C leaves the job running.

    On AWS shows the price and asks first. Example: `scones train --recipe vehicle-net --epochs 5 --target aws`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    name, most = attach, None
    if name is None:
        surroundings = {"kms_key": kms_key, "subnets": subnet or [], "security_groups": security_group or []}
        order = _order(
            session, settings, recipe, dataset, instance_type, epochs, _pairs(hyperparameter or []), spot=spot
        )
        most = _submit(session, settings, order, surroundings, yes=yes)
        name = order.name
        console.err.print(f"training job {name}", highlight=False)
    if no_wait:
        console.tell({"job": name}, as_json=as_json)
        return
    found = _followed(session, name, most, local=settings.target is Target.LOCAL)
    console.tell(asdict(found), as_json=as_json)


def _pairs(given: list[str]) -> dict[str, str]:
    for item in given:
        if "=" not in item:
            raise typer.BadParameter(f"'{item}' is not NAME=VALUE", param_hint="--hyperparameter")
    return dict(item.split("=", 1) for item in given)


def _order(
    session: boto3.Session,
    settings: Settings,
    recipe: str,
    dataset: str | None,
    instance_type: str | None,
    epochs: int | None,
    given: Mapping[str, str],
    *,
    spot: bool,
) -> "Order":
    from training import jobs, recipes  # noqa: PLC0415

    wanted = recipes.named(recipe)
    bucket = pipeline.deployed(session, settings).data_bucket
    s3 = session.client("s3")
    place = f"{DATASETS}/{dataset}" if dataset else _staged(s3, bucket, wanted.side)
    values = recipes.hyperparameters(wanted, jobs.samples(s3, bucket, place), epochs, given)
    name = f"{settings.stack}-{recipe}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    return jobs.Order(name, wanted, values, place, instance_type or wanted.instance_type, spot=spot)


def _staged(s3: Any, bucket: str, side: int) -> str:
    """Return the staged data set whose pictures are large enough, CIFAR-100 before rendered ones."""
    from training.errors import DatasetMissing  # noqa: PLC0415

    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{DATASETS}/", Delimiter="/").get("CommonPrefixes", [])
    names = sorted(entry["Prefix"].split("/")[1] for entry in found)
    fitting = [
        name for name in names if (re.search(rf"-{side}$", name) if side > 32 else not re.search(r"-\d+$", name))
    ]
    if not fitting:
        size = f" (with --size {side})" if side > 32 else ""
        raise DatasetMissing(f"s3://{bucket}/{DATASETS}/{size}")
    return f"{DATASETS}/{next((name for name in fitting if name.startswith(_PREFERRED)), fitting[0])}"


def _submit(
    session: boto3.Session, settings: Settings, order: "Order", surroundings: Mapping[str, Any], *, yes: bool
) -> int:
    """Check the quota, ask, and create the job; return how many epochs it runs."""
    from training import jobs, prices, quota, recipes  # noqa: PLC0415

    region, instance = settings.region, order.instance_type
    outputs = stack.outputs(session.client("cloudformation"), settings.stack)
    if settings.target is Target.AWS:
        quota.check(
            session.client("service-quotas"), instance, "spot training job" if order.spot else "training job", region
        )
        pricing = session.client("pricing", region_name=prices.PRICING_REGION)
        cost = prices.price(pricing, instance, "Training", region)
        options.confirm(f"This trains on one {instance}: {cost}, billed by the second. Go on?", settings, yes=yes)
    around = jobs.Surroundings(
        role_arn=outputs.get("TrainingRoleArn", outputs["EndpointRoleArn"]),
        bucket=outputs["DataBucket"],
        tags={"scones:stack": settings.stack},
        **surroundings,
    )
    jobs.submit(session, order, around)
    return recipes.epochs_of(order.hyperparameters)


def _followed(session: boto3.Session, name: str, most: int | None, *, local: bool) -> "JobStatus":
    from training import jobs  # noqa: PLC0415

    if most is None:
        most = jobs.status(session, name).epochs
    with console.progress(f"{name}: epochs") as advance:
        try:
            return jobs.follow(session, name, _teller(advance, most), jobs.Patience(poll=0.5 if local else 5.0))
        except KeyboardInterrupt:
            console.err.print(f"the job goes on: `scones train --attach {name}` follows it again", highlight=False)
            raise


def _teller(advance: console.Advance, most: int | None) -> Callable[[str], None]:
    """Print each log line above the bar, and move the bar by what the line says of epochs."""
    from training import jobs  # noqa: PLC0415

    def tell(line: str) -> None:
        console.err.print(f"  {console.escape(line.rstrip())}", highlight=False, style="dim", soft_wrap=True)
        done = jobs.epoch_of(line)
        if done is not None and most is not None:
            advance(min(done, most), most)

    return tell

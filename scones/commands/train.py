"""`scones train`: a training job, followed live."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer

from core.labels import VEHICLES, dataset_name
from orchestration import stack
from scones import aws, console, cost_confirmation, options, pipeline
from scones.settings import Settings, Target

if TYPE_CHECKING:
    from training.jobs import JobEnvironment, JobStatus, TrainingJobSpec

DATASETS = "datasets"

RecipeOption = Annotated[str, typer.Option("--recipe", help="vehicle-net, builtin, builtin-small or builtin-transfer.")]
HyperparameterOption = Annotated[
    list[str] | None, typer.Option("--hyperparameter", metavar="NAME=VALUE", help="May be repeated.")
]
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", help="What `scones stage` uploaded [default: cifar100, else what is there].")
]
InstanceOption = Annotated[str | None, typer.Option("--instance-type", help="What it runs on [default: ml.g5.xlarge].")]
RoleOption = Annotated[
    str | None,
    typer.Option("--role", metavar="ARN", help="Run as this role [default: the stack's, which knows no VPC and key]."),
]
SubnetOption = Annotated[list[str] | None, typer.Option("--subnet", help="Run in a VPC; may be repeated.")]
SecurityGroupOption = Annotated[list[str] | None, typer.Option("--security-group", help="With --subnet.")]


def train(  # noqa: PLR0913, PLR0917 - a command's options
    recipe: RecipeOption = "vehicle-net",
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="In place of the recipe's own.")] = None,
    hyperparameter: HyperparameterOption = None,
    dataset: DatasetOption = None,
    instance_type: InstanceOption = None,
    spot: Annotated[bool, typer.Option("--spot", help="Managed spot training: cheaper, may be interrupted.")] = False,
    attach: Annotated[str | None, typer.Option("--attach", metavar="JOB", help="Follow a job that runs.")] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Submit, print the job's name, and leave.")] = False,
    role: RoleOption = None,
    kms_key: Annotated[str | None, typer.Option("--kms-key", help="Encrypts disk and artefact.")] = None,
    subnet: SubnetOption = None,
    security_group: SecurityGroupOption = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Train a model on the staged data set as a SageMaker job, and follow its log. Ctrl-C leaves the job running.

    On AWS shows the price and asks first. Example: `scones train --recipe vehicle-net --epochs 5 --target aws`
    """
    from training import jobs, recipes  # noqa: PLC0415

    if bool(subnet) != bool(security_group):
        raise typer.BadParameter("--subnet and --security-group go together: a VPC takes both")
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    name, most = attach, None
    if name is None:
        order = ordered(session, settings, recipe, dataset, instance_type, epochs, pairs(hyperparameter), spot=spot)
        around = surroundings(session, settings, role, kms_key, subnet or (), security_group or ())
        cost_confirmation.agree(session, settings, [expense(order)], yes=yes)
        jobs.submit(session, order, around)
        name, most = order.name, recipes.max_epochs(order.hyperparameters)
        console.err.print(f"training job {name}", highlight=False, soft_wrap=True)
    if no_wait:
        console.tell({"job": name}, as_json=as_json)
        return
    _told(_followed(session, name, most, local=settings.target is Target.LOCAL), as_json=as_json)


def pairs(given: Sequence[str] | None) -> dict[str, str]:
    """Read NAME=VALUE of the command line."""
    for item in given or ():
        if "=" not in item:
            raise typer.BadParameter(f"'{item}' is not NAME=VALUE", param_hint="--hyperparameter")
    return dict(item.split("=", 1) for item in given or ())


def ordered(
    session: boto3.Session,
    settings: Settings,
    recipe: str,
    dataset: str | None,
    instance_type: str | None,
    epochs: int | None,
    given: Mapping[str, str],
    *,
    spot: bool = False,
) -> "TrainingJobSpec":
    """Return the job that the options describe, on what is staged. Raises DatasetMissing and what a recipe refuses."""
    from training import jobs, recipes  # noqa: PLC0415

    wanted = recipes.get_recipe(recipe)
    deployed = pipeline.deployed(session, settings)
    bucket, s3 = deployed.data_bucket, session.client("s3")
    place = f"{DATASETS}/{dataset}" if dataset else _staged(s3, bucket, wanted.min_side, dataset_name(deployed.labels))
    named = {} if wanted.builtin or deployed.labels == VEHICLES else {"labels": ",".join(deployed.labels)}
    values = recipes.build_hyperparameters(
        wanted, jobs.count_training_images(s3, bucket, place), epochs, {**named, **given}
    )
    name = f"{settings.stack}-{recipe}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    return jobs.TrainingJobSpec(name, wanted, values, place, instance_type or wanted.instance_type, spot=spot)


def surroundings(
    session: boto3.Session,
    settings: Settings,
    role: str | None = None,
    kms_key: str | None = None,
    subnets: Sequence[str] = (),
    security_groups: Sequence[str] = (),
) -> "JobEnvironment":
    """Return where and as whom a job of this stack runs. Raises RoleMissing."""
    from training import jobs  # noqa: PLC0415

    return jobs.JobEnvironment(
        role_arn=role or stack_role(session, settings, "TrainingRoleArn"),
        bucket=pipeline.deployed(session, settings).data_bucket,
        tags={"scones:stack": settings.stack},
        kms_key=kms_key,
        subnets=subnets,
        security_groups=security_groups,
    )


def stack_role(session: boto3.Session, settings: Settings, output: str) -> str:
    """Return one of the stack's roles by the name of its output. Raises RoleMissing."""
    from training.errors import RoleMissing  # noqa: PLC0415

    outputs = stack.outputs(session.client("cloudformation"), settings.stack)
    if output not in outputs:
        raise RoleMissing(output)
    return outputs[output]


def expense(order: "TrainingJobSpec") -> cost_confirmation.Expense:
    """Return what a job costs."""
    use: Any = "spot training job" if order.spot else "training job"
    return cost_confirmation.Expense(order.instance_type, use, "billed by the second until the job ends")


def _staged(s3: Any, bucket: str, side: int, preferred: str) -> str:
    """Return the staged data set whose pictures are large enough, the preferred one before others."""
    from training.errors import DatasetMissing  # noqa: PLC0415

    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{DATASETS}/", Delimiter="/").get("CommonPrefixes", [])
    names = sorted(entry["Prefix"].split("/")[1] for entry in found)
    fitting = [
        name for name in names if (re.search(rf"-{side}$", name) if side > 32 else not re.search(r"-\d+$", name))
    ]
    if not fitting:
        raise DatasetMissing(f"s3://{bucket}/{DATASETS}/", side if side > 32 else None)
    return f"{DATASETS}/{next((name for name in fitting if name.startswith(preferred)), fitting[0])}"


def _followed(session: boto3.Session, name: str, most: int | None, *, local: bool) -> "JobStatus":
    from training import jobs  # noqa: PLC0415

    if most is None:
        most = jobs.status(session, name).epochs
    with console.progress("epochs") as advance:
        advance(0, most or 1)
        try:
            waiter = replace(jobs.JOB_WAITER, poll_seconds=0.5 if local else 5.0)
            return jobs.follow(session, name, _teller(advance, most), waiter, on_status=_say)
        except KeyboardInterrupt:
            console.err.print(
                f"the job goes on: `scones train --attach {name}` follows it again", highlight=False, soft_wrap=True
            )
            raise


def _say(state: str) -> None:
    console.err.print(f"[bold]{state}[/]", highlight=False)


def _teller(advance: console.Advance, most: int | None) -> Callable[[str], None]:
    """Print each log line above the bar, and move the bar by what the line says of epochs."""
    from training import job_logs  # noqa: PLC0415

    def tell(line: str) -> None:
        console.err.print(f"  {console.escape(line.rstrip())}", highlight=False, style="dim", soft_wrap=True)
        done = job_logs.completed_epochs(line)
        if done is not None and most is not None:
            advance(min(done, most), most)

    return tell


def _told(found: "JobStatus", *, as_json: bool) -> None:
    told: dict[str, Any] = {"job": found.name, "status": found.status}
    told |= {"metrics": dict(found.metrics)} if as_json else found.metrics
    told |= {
        "artefact": found.model_artifact,
        "billed_seconds": found.billable_seconds,
        "epochs": found.epochs,
        "image": found.training_image,
    }
    console.tell(told, as_json=as_json)
    console.err.print(f"next: scones endpoint deploy --job {found.name}", highlight=False, soft_wrap=True)

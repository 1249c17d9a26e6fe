"""Training jobs of the stack: what one runs, where, what it costs, and its log while it runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3

from core.defaults import DATASETS
from core.labels import VEHICLES, dataset_name
from orchestration.stack_outputs import StackOutputs
from review import labelled_dataset
from scones import console
from scones.cost_confirmation import BilledInstances
from scones.errors import LabelledDatasetEmpty
from scones.settings import Settings, Target
from training import job_logs, jobs, recipes
from training.endpoint_spec import MAX_NAME_LENGTH
from training.errors import DatasetNotFound
from training.instance_types import Use
from training.jobs import JobEnvironment, JobStatus, TrainingJobSpec


def job_spec(  # noqa: PLR0913 - four have a default
    session: boto3.Session,
    settings: Settings,
    outputs: StackOutputs,
    recipe_name: str,
    hyperparameters: Mapping[str, str],
    *,
    dataset: str | None = None,
    instance_type: str | None = None,
    epochs: int | None = None,
    spot: bool = False,
    with_reviewed: bool = False,
) -> TrainingJobSpec:
    """Return a job of this recipe on a staged dataset, and on what people have labelled in review.

    Raises DatasetNotFound, LabelledDatasetEmpty and what the recipe refuses.
    """
    recipe = recipes.get_recipe(recipe_name)
    s3, bucket = session.client("s3"), outputs.data_bucket
    reviewed = _labelled_dataset_prefix(s3, bucket) if with_reviewed else None
    preferred = dataset_name(outputs.labels)
    prefix = f"{DATASETS}/{dataset}" if dataset else _staged_dataset(s3, bucket, recipe.min_side, preferred)
    labels = {} if recipe.builtin or outputs.labels == VEHICLES else {"labels": ",".join(outputs.labels)}
    values = recipes.build_hyperparameters(
        recipe, jobs.count_training_images(s3, bucket, prefix), epochs, {**labels, **hyperparameters}
    )
    suffix = f"-{recipe_name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    name = settings.stack[: MAX_NAME_LENGTH - len(suffix)].rstrip("-") + suffix
    instance_type = instance_type or recipe.instance_type
    return TrainingJobSpec(name, recipe, values, prefix, instance_type, spot=spot, reviewed=reviewed)


def _labelled_dataset_prefix(s3: Any, bucket: str) -> str:
    """Return the prefix of the dataset that review writes. Raises LabelledDatasetEmpty if it has no image."""
    try:
        if jobs.count_training_images(s3, bucket, labelled_dataset.PREFIX):
            return labelled_dataset.PREFIX
    except DatasetNotFound:
        pass
    raise LabelledDatasetEmpty(f"s3://{bucket}/{labelled_dataset.LISTING}")


def job_environment(
    outputs: StackOutputs,
    role: str | None = None,
    kms_key: str | None = None,
    subnets: Sequence[str] = (),
    security_groups: Sequence[str] = (),
) -> JobEnvironment:
    """Return the role, the bucket, the key and the VPC of this stack's jobs. Raises OutputMissing."""
    return JobEnvironment(
        role_arn=role or outputs.require_role("TrainingRoleArn"),
        bucket=outputs.data_bucket,
        tags=outputs.tags,
        kms_key=kms_key,
        subnets=subnets,
        security_groups=security_groups,
    )


def billed_instances(job: TrainingJobSpec) -> BilledInstances:
    """Return the billed instances of a job."""
    use: Use = "spot training job" if job.spot else "training job"
    return BilledInstances(job.instance_type, use, "billed by the second until the job ends")


def follow(session: boto3.Session, name: str, epochs: int | None, target: Target) -> JobStatus:
    """Show a job's log and progress until it ends; an interruption leaves the job running."""
    epochs = jobs.status(session, name).epochs if epochs is None else epochs
    with console.progress("epochs") as advance:
        advance(0, epochs or 1)
        try:
            waiter = replace(jobs.JOB_WAITER, poll_seconds=0.5 if target is Target.LOCAL else 5.0)
            on_line = _line_printer(advance, epochs)
            return jobs.follow(session, name, on_line, waiter, on_status=lambda state: console.note(state, "bold"))
        except KeyboardInterrupt:
            console.note(jobs.continues(name))
            raise


def _line_printer(advance: console.Advance, epochs: int | None) -> Callable[[str], None]:
    """Print each log line above the bar, and move the bar by the epochs that the lines name."""

    def show(line: str) -> None:
        console.note(f"  {line.rstrip()}", "dim")
        done = job_logs.completed_epochs(line)
        if done is not None and epochs is not None:
            advance(min(done, epochs), epochs)

    return show


def _staged_dataset(s3: Any, bucket: str, side: int, preferred: str) -> str:
    """Return the staged dataset whose images are large enough, ``preferred`` before others. Raises DatasetNotFound."""
    listing = s3.list_objects_v2(Bucket=bucket, Prefix=f"{DATASETS}/", Delimiter="/").get("CommonPrefixes", [])
    prefixes = {entry["Prefix"].rstrip("/") for entry in listing} - {labelled_dataset.PREFIX}
    names = sorted(prefix.split("/")[1] for prefix in prefixes)
    fitting = [
        name for name in names if (re.search(rf"-{side}$", name) if side > 32 else not re.search(r"-\d+$", name))
    ]
    if not fitting:
        raise DatasetNotFound(f"s3://{bucket}/{DATASETS}/", side if side > 32 else None)
    return f"{DATASETS}/{next((name for name in fitting if name.startswith(preferred)), fitting[0])}"

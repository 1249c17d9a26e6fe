"""Submits, follows and describes training jobs, by the same calls on AWS and offline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.s3_uris import S3Uri, has_objects, read_object
from core.waiting import WaiterConfig
from training import source_archive
from training.errors import (
    DatasetNotFound,
    JobFailed,
    JobNotFound,
    JobTimeout,
    translate_errors,
    translate_instance_errors,
)
from training.instance_types import has_local_storage
from training.job_logs import JobLogReader
from training.recipes import IMAGE_CONTENT_TYPE, Recipe
from training.sagemaker_sdk import client_kwargs, image_uri, load_sdk

PREFIX = "training"
OTHER_LISTING = "other.lst"
PYTORCH = {"version": "2.8.0", "py_version": "py312", "image_scope": "training"}
VALIDATION_ACCURACY = "validation:accuracy"
_METRIC_PATTERNS = {
    VALIDATION_ACCURACY: r"Validation-accuracy=([0-9.]+)",
    "train:loss": r"Train-loss=([0-9.]+)",
}
_FINAL_STATUSES = frozenset({"Completed", "Failed", "Stopped"})
JOB_WAITER = WaiterConfig(timeout_seconds=6 * 3600.0)


@dataclass(frozen=True)
class JobEnvironment:
    """Role, bucket and network of a job. The KMS key encrypts its disk and its model artifact."""

    role_arn: str
    bucket: str
    tags: Mapping[str, str] = field(default_factory=dict)
    kms_key: str | None = None
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()


@dataclass(frozen=True)
class TrainingJobSpec:
    """A job to submit; ``dataset`` and ``reviewed`` are prefixes, of a staged and a reviewed dataset in the bucket."""

    name: str
    recipe: Recipe
    hyperparameters: Mapping[str, str]
    dataset: str
    instance_type: str
    max_seconds: int = 3 * 3600
    spot: bool = False
    reviewed: str | None = None


@dataclass(frozen=True)
class JobStatus:
    """What SageMaker reports of a job: the last value of each metric, the S3 URI of each channel."""

    name: str
    status: str
    secondary_status: str
    metrics: Mapping[str, float]
    model_artifact: str | None
    billable_seconds: int | None
    epochs: int | None
    failure_reason: str | None
    training_image: str
    channels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_builtin(self) -> bool:
        """Whether AWS's own algorithm trains: its container image also serves the model."""
        return "/image-classification:" in self.training_image


def count_training_images(s3: Any, bucket: str, dataset: str) -> int:
    """Count the lines of the staged dataset's train.lst. Raises DatasetNotFound."""
    listing = read_object(s3, S3Uri(bucket, f"{dataset}/train.lst"))
    if listing is None:
        raise DatasetNotFound(f"s3://{bucket}/{dataset}/")
    return sum(1 for line in listing.splitlines() if line.strip())


def submit(session: boto3.Session, spec: TrainingJobSpec, environment: JobEnvironment) -> str:
    """Create the training job and return its ARN. Raises a SageMakerError."""
    resources = load_sdk().resources
    with translate_errors("submit"), translate_instance_errors(spec.instance_type):
        job = resources.TrainingJob.create(**_create_arguments(session, spec, environment), **client_kwargs(session))
        return str(job.training_job_arn)


def _create_arguments(session: boto3.Session, spec: TrainingJobSpec, environment: JobEnvironment) -> dict[str, Any]:
    shapes = load_sdk().shapes
    root = S3Uri(environment.bucket, PREFIX)
    output_key = {"kms_key_id": environment.kms_key} if environment.kms_key else {}
    encrypts_volume = environment.kms_key and not has_local_storage(spec.instance_type)
    volume_key = {"volume_kms_key_id": environment.kms_key} if encrypts_volume else {}
    arguments: dict[str, Any] = {
        "training_job_name": spec.name,
        "role_arn": environment.role_arn,
        "algorithm_specification": _algorithm(session, spec),
        "hyper_parameters": _hyperparameters(session, spec, environment),
        "input_data_config": _channels(session, spec, environment.bucket),
        "output_data_config": shapes.OutputDataConfig(s3_output_path=str(root), **output_key),
        "resource_config": shapes.ResourceConfig(
            instance_type=spec.instance_type, instance_count=1, volume_size_in_gb=30, **volume_key
        ),
        "stopping_condition": shapes.StoppingCondition(
            max_runtime_in_seconds=spec.max_seconds,
            **({"max_wait_time_in_seconds": 2 * spec.max_seconds} if spec.spot else {}),
        ),
        "checkpoint_config": shapes.CheckpointConfig(s3_uri=f"{root}/{spec.name}/checkpoints"),
        "enable_network_isolation": spec.recipe.isolated,
        "enable_managed_spot_training": spec.spot,
        "enable_inter_container_traffic_encryption": True,
        # Dictionaries: the SDK has two classes Tag, and this call refuses shapes.Tag.
        "tags": [{"key": name, "value": value} for name, value in environment.tags.items()],
    }
    if environment.subnets:
        arguments["vpc_config"] = shapes.VpcConfig(
            subnets=list(environment.subnets), security_group_ids=list(environment.security_groups)
        )
    return arguments


def _algorithm(session: boto3.Session, spec: TrainingJobSpec) -> Any:
    shapes = load_sdk().shapes
    if spec.recipe.builtin:  # it has its own metrics, and AWS refuses others
        return shapes.AlgorithmSpecification(training_image=builtin_image(session), training_input_mode="File")
    image = image_uri("pytorch", str(session.region_name), instance_type=spec.instance_type, **PYTORCH)
    return shapes.AlgorithmSpecification(
        training_image=image,
        training_input_mode="File",
        metric_definitions=[
            shapes.MetricDefinition(name=name, regex=pattern) for name, pattern in _METRIC_PATTERNS.items()
        ],
    )


def builtin_image(session: boto3.Session) -> str:
    """Return the URI of AWS's image classification in this region: one container image trains and serves."""
    return image_uri("image-classification", str(session.region_name))


def _hyperparameters(session: boto3.Session, spec: TrainingJobSpec, environment: JobEnvironment) -> dict[str, str]:
    if spec.recipe.builtin:
        return dict(spec.hyperparameters)
    source_uri = source_archive.upload(session.client("s3"), environment.bucket, f"{PREFIX}/source")
    return {
        **spec.hyperparameters,
        "sagemaker_program": source_archive.ENTRY_POINT,
        "sagemaker_submit_directory": source_uri,
        "sagemaker_region": str(session.region_name),
    }


def _channels(session: boto3.Session, spec: TrainingJobSpec, bucket: str) -> list[Any]:
    """Return the channels; validation is the test split, which vehicle-net reports and does not train on.

    Staged images of other classes are the channel ``other``, which the built-in algorithm does not have.
    """
    shapes = load_sdk().shapes
    channels = {"train": "train/", "validation": "test/", "train_lst": "train.lst", "validation_lst": "test.lst"}
    if not spec.recipe.builtin and has_objects(session.client("s3"), S3Uri(bucket, f"{spec.dataset}/{OTHER_LISTING}")):
        channels |= {"other": "other/", "other_lst": OTHER_LISTING}
    keys = {name: f"{spec.dataset}/{key}" for name, key in channels.items()}
    if spec.reviewed:
        keys |= {"reviewed": f"{spec.reviewed}/train/", "reviewed_lst": f"{spec.reviewed}/train.lst"}
    return [
        shapes.Channel(
            channel_name=channel,
            content_type=IMAGE_CONTENT_TYPE,
            compression_type="None",
            input_mode="File",
            data_source=shapes.DataSource(
                s3_data_source=shapes.S3DataSource(
                    s3_data_type="S3Prefix",
                    s3_uri=str(S3Uri(bucket, key)),
                    s3_data_distribution_type="FullyReplicated",
                )
            ),
        )
        for channel, key in keys.items()
    ]


def status(session: boto3.Session, name: str) -> JobStatus:
    """Return the job's status. Raises JobNotFound."""
    resources = load_sdk().resources
    with translate_errors("describe"):
        try:
            job = resources.TrainingJob.get(training_job_name=name, **client_kwargs(session))
        except ClientError as error:
            if error_code(error) in {"ValidationException", "ResourceNotFound"}:
                raise JobNotFound(name) from error
            raise
    artifacts = _assigned(job.model_artifacts)
    completed = job.training_job_status == "Completed"
    hyperparameters = _assigned(job.hyper_parameters) or {}
    return JobStatus(
        name=name,
        status=str(job.training_job_status),
        secondary_status=str(job.secondary_status),
        metrics={str(m.metric_name): float(m.value) for m in _assigned(job.final_metric_data_list) or []},
        model_artifact=str(artifacts.s3_model_artifacts) if artifacts and completed else None,
        billable_seconds=_assigned(job.billable_time_in_seconds),
        epochs=int(hyperparameters["epochs"].strip('"')) if "epochs" in hyperparameters else None,
        failure_reason=_assigned(job.failure_reason),
        training_image=str(_assigned(job.algorithm_specification.training_image) or ""),
        channels={
            str(channel.channel_name): str(channel.data_source.s3_data_source.s3_uri)
            for channel in _assigned(job.input_data_config) or []
        },
    )


def completed_status(session: boto3.Session, name: str) -> JobStatus:
    """Return the status of a job that has completed. Raises JobNotFound, or JobFailed for any other status."""
    job = status(session, name)
    if job.status != "Completed":
        raise JobFailed(name, job.status, job.failure_reason or "it has no model to serve")
    return job


def _assigned(value: Any) -> Any:
    """Return None for the SDK's Unassigned."""
    return None if type(value).__name__ == "Unassigned" else value


def continues(name: str) -> str:
    """Return what a person should know who has interrupted a command that follows a job."""
    return f"the job continues: `scones train --attach {name}` follows it again"


def follow(
    session: boto3.Session,
    name: str,
    on_line: Callable[[str], None],
    waiter: WaiterConfig = JOB_WAITER,
    on_status: Callable[[str], None] = lambda _: None,
) -> JobStatus:
    """Pass on the job's log line by line, and each secondary status once, until it ends; return its final status.

    Interrupting this does not stop the job. Raises JobFailed, JobNotFound, JobTimeout.
    """
    log = JobLogReader(session.client("logs"), name)
    started, secondary_status = waiter.clock(), ""
    while True:
        job = status(session, name)
        if job.secondary_status != secondary_status:
            on_status(secondary_status := job.secondary_status)
        for line in log.read_new_lines():
            on_line(line)
        if job.status in _FINAL_STATUSES:
            break
        if waiter.clock() - started > waiter.timeout_seconds:
            raise JobTimeout(name, job.secondary_status, waiter.timeout_seconds)
        waiter.sleep(waiter.poll_seconds)
    waiter.sleep(waiter.poll_seconds)  # the last lines arrive in the log a moment after the job has ended
    for line in log.read_new_lines():
        on_line(line)
    return completed_status(session, name)

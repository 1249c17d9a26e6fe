"""Training jobs: submit one, follow its log, read what came of it; the same calls on AWS and offline."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

from training import source_archive
from training.errors import DatasetMissing, JobFailed, JobMissing, JobTimeout, instance_refused, translated
from training.recipes import IMAGE_TYPE, TrainingRecipe
from training.sagemaker_sdk import image_uri, place, sdk

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
PREFIX = "training"
PYTORCH = {"version": "2.8.0", "py_version": "py312", "image_scope": "training"}
VALIDATION_ACCURACY = "validation:accuracy"
_METRICS = {
    VALIDATION_ACCURACY: r"Validation-accuracy=([0-9.]+)",
    "train:loss": r"Train-loss=([0-9.]+)",
}
_ENDED = frozenset({"Completed", "Failed", "Stopped"})
_EPOCH = re.compile(r"Epoch\[(\d+)\]")


@dataclass(frozen=True)
class Surroundings:
    """Where and as whom a job runs. KMS keys encrypt its disk and its artefact; subnets put it into a VPC."""

    role_arn: str
    bucket: str
    tags: Mapping[str, str] = field(default_factory=dict)
    kms_key: str | None = None
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()


@dataclass(frozen=True)
class Order:
    """A job to be submitted; ``dataset`` is the prefix in the bucket that staging uploaded to."""

    name: str
    recipe: TrainingRecipe
    hyperparameters: Mapping[str, str]
    dataset: str
    instance_type: str
    max_seconds: int = 3 * 3600
    spot: bool = False


@dataclass(frozen=True)
class JobStatus:
    """How a job is. ``metrics`` are the last value of each, ``billed`` is in seconds, ``image`` is what trains."""

    name: str
    status: str
    secondary: str
    metrics: Mapping[str, float]
    artefact: str | None
    billed: int | None
    epochs: int | None
    failure_reason: str | None
    image: str

    @property
    def builtin(self) -> bool:
        """Whether AWS's own algorithm trains, whose image also serves what it has trained."""
        return "/image-classification:" in self.image


@dataclass(frozen=True)
class Patience:
    """How long to follow a job, and how often to ask, in seconds."""

    seconds: float = 6 * 3600.0
    poll: float = 3.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


_DEFAULT_PATIENCE = Patience()


def samples(s3: Any, bucket: str, dataset: str) -> int:
    """Count the training images that are listed in the staged data set's train.lst. Raises DatasetMissing."""
    try:
        body = s3.get_object(Bucket=bucket, Key=f"{dataset}/train.lst")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            raise DatasetMissing(f"s3://{bucket}/{dataset}/") from error
        raise
    return sum(1 for line in body.splitlines() if line.strip())


def submit(session: boto3.Session, order: Order, around: Surroundings) -> str:
    """Create the training job and return its ARN. Raises a HostingError."""
    core, _ = sdk()
    with translated("submit"), instance_refused(order.instance_type):
        arguments = _arguments(session, order, around)
        job = core.TrainingJob.create(**arguments, **place(session))
        return str(job.training_job_arn)


def _arguments(session: boto3.Session, order: Order, around: Surroundings) -> dict[str, Any]:
    _, shapes = sdk()
    root = f"s3://{around.bucket}/{PREFIX}"
    key = {"kms_key_id": around.kms_key} if around.kms_key else {}
    arguments: dict[str, Any] = {
        "training_job_name": order.name,
        "role_arn": around.role_arn,
        "algorithm_specification": _algorithm(session, order),
        "hyper_parameters": _told(session, order, around),
        "input_data_config": _channels(order, around.bucket),
        "output_data_config": shapes.OutputDataConfig(s3_output_path=root, **key),
        "resource_config": shapes.ResourceConfig(
            instance_type=order.instance_type,
            instance_count=1,
            volume_size_in_gb=30,
            **({"volume_kms_key_id": around.kms_key} if around.kms_key else {}),
        ),
        "stopping_condition": shapes.StoppingCondition(
            max_runtime_in_seconds=order.max_seconds,
            **({"max_wait_time_in_seconds": 2 * order.max_seconds} if order.spot else {}),
        ),
        "checkpoint_config": shapes.CheckpointConfig(s3_uri=f"{root}/{order.name}/checkpoints"),
        "enable_network_isolation": order.recipe.isolated,
        "enable_managed_spot_training": order.spot,
        "enable_inter_container_traffic_encryption": True,
        # Plain, because the SDK has two classes Tag and this call takes the one that is no shape.
        "tags": [{"key": name, "value": value} for name, value in around.tags.items()],
    }
    if around.subnets:
        arguments["vpc_config"] = shapes.VpcConfig(
            subnets=list(around.subnets), security_group_ids=list(around.security_groups)
        )
    return arguments


def _algorithm(session: boto3.Session, order: Order) -> Any:
    _, shapes = sdk()
    if order.recipe.builtin:  # it brings its own metrics, and AWS refuses others
        return shapes.AlgorithmSpecification(training_image=builtin_image(session), training_input_mode="File")
    return shapes.AlgorithmSpecification(
        training_image=image_uri("pytorch", str(session.region_name), instance_type=order.instance_type, **PYTORCH),
        training_input_mode="File",
        metric_definitions=[shapes.MetricDefinition(name=name, regex=regex) for name, regex in _METRICS.items()],
    )


def builtin_image(session: boto3.Session) -> str:
    """Return where AWS's image classification is in this region: one image trains and serves."""
    return image_uri("image-classification", str(session.region_name))


def _told(session: boto3.Session, order: Order, around: Surroundings) -> dict[str, str]:
    if order.recipe.builtin:
        return dict(order.hyperparameters)
    url = source_archive.upload(session.client("s3"), around.bucket, f"{PREFIX}/source")
    script = {"sagemaker_program": source_archive.ENTRY_POINT, "sagemaker_submit_directory": url}
    return {**order.hyperparameters, **script, "sagemaker_region": str(session.region_name)}


def _channels(order: Order, bucket: str) -> list[Any]:
    """The validation channel is the test split: it is reported by epoch and decides nothing in vehicle-net."""
    _, shapes = sdk()
    root = f"s3://{bucket}/{order.dataset}"
    places = {"train": "train/", "validation": "test/", "train_lst": "train.lst", "validation_lst": "test.lst"}
    return [
        shapes.Channel(
            channel_name=name,
            content_type=IMAGE_TYPE,
            compression_type="None",
            input_mode="File",
            data_source=shapes.DataSource(
                s3_data_source=shapes.S3DataSource(
                    s3_data_type="S3Prefix", s3_uri=f"{root}/{path}", s3_data_distribution_type="FullyReplicated"
                )
            ),
        )
        for name, path in places.items()
    ]


def status(session: boto3.Session, name: str) -> JobStatus:
    """Return how the job is. Raises JobMissing."""
    core, _ = sdk()
    with translated("describe"):
        try:
            job = core.TrainingJob.get(training_job_name=name, **place(session))
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ValidationException", "ResourceNotFound"}:
                raise JobMissing(name) from error
            raise
    found = {str(metric.metric_name): float(metric.value) for metric in _set(job.final_metric_data_list) or []}
    artefacts = _set(job.model_artifacts)
    told = _set(job.hyper_parameters) or {}
    return JobStatus(
        name=name,
        status=str(job.training_job_status),
        secondary=str(job.secondary_status),
        metrics=found,
        artefact=str(artefacts.s3_model_artifacts) if artefacts and job.training_job_status == "Completed" else None,
        billed=_set(job.billable_time_in_seconds),
        epochs=int(told["epochs"].strip('"')) if "epochs" in told else None,
        failure_reason=_set(job.failure_reason),
        image=str(_set(job.algorithm_specification.training_image) or ""),
    )


def completed(session: boto3.Session, name: str) -> JobStatus:
    """Return how a job that has completed is. Raises JobMissing, JobFailed for any other."""
    found = status(session, name)
    if found.status != "Completed":
        raise JobFailed(name, found.status, found.failure_reason or "there is no model to serve")
    return found


def _set(value: Any) -> Any:
    """Return None for what the SDK calls Unassigned."""
    return None if type(value).__name__ == "Unassigned" else value


def follow(
    session: boto3.Session,
    name: str,
    on_line: Callable[[str], None],
    patience: Patience = _DEFAULT_PATIENCE,
    on_state: Callable[[str], None] = lambda _: None,
) -> JobStatus:
    """Hand over the job's log line by line, and each state once, until it has ended; return how it ended.

    Interrupting this leaves the job alone. Raises JobFailed, JobMissing, JobTimeout.
    """
    log = Log(session.client("logs"), name)
    started, state = patience.clock(), ""
    while True:
        found = status(session, name)
        if found.secondary != state:
            on_state(state := found.secondary)
        for line in log.new():
            on_line(line)
        if found.status in _ENDED:
            break
        if patience.clock() - started > patience.seconds:
            raise JobTimeout(name, found.secondary, patience.seconds)
        patience.sleep(patience.poll)
    patience.sleep(patience.poll)  # a job's last words reach its log a moment after the job has ended
    for line in log.new():
        on_line(line)
    return completed(session, name)


def epoch_of(line: str) -> int | None:
    """Return how many epochs are done by a log line's word, if it has one."""
    found = _EPOCH.search(line)
    return int(found[1]) + 1 if found else None


class Log:
    """What CloudWatch Logs has of a job, each line once."""

    def __init__(self, client: Any, job: str) -> None:
        self._client = client
        self._job = job
        self._tokens: dict[str, str] = {}

    def new(self) -> list[str]:
        """Return the lines since the last call; none where there is no log yet. Raises a HostingError."""
        with translated("logs"):
            try:
                streams = self._client.describe_log_streams(
                    logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self._job}/"
                )["logStreams"]
            except self._client.exceptions.ResourceNotFoundException:
                return []
            return [line for stream in streams for line in self._read(stream["logStreamName"])]

    def _read(self, stream: str) -> list[str]:
        lines: list[str] = []
        while True:
            at = {"nextToken": self._tokens[stream]} if stream in self._tokens else {}
            page = self._client.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True, **at)
            lines += [event["message"] for event in page["events"]]
            token = page["nextForwardToken"]
            if self._tokens.get(stream) == token or not page["events"]:
                self._tokens[stream] = token
                return lines
            self._tokens[stream] = token

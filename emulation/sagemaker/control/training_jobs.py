"""CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob, DeleteTrainingJob."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import InvalidS3Uri
from core.s3_uris import S3Uri
from emulation.sagemaker import frameworks
from emulation.sagemaker.control import pagination, tags
from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.errors import ResourceInUse, ValidationException
from emulation.sagemaker.store import Kind, Record
from emulation.sagemaker.training import image_classification, job_files, job_metrics, xgboost_algorithm
from emulation.sagemaker.training.job_runner import DEFAULT_SECONDS, TERMINAL
from emulation.sagemaker.validation import Params

_KIND = Kind.TRAINING_JOB
_NOT_DESCRIBED = frozenset({"TrainingJobName", "Tags", "SessionChainingConfig"})


async def create(context: OperationContext, request: Params) -> Params:
    """CreateTrainingJob: returns at once; as on AWS, the channels must be in S3 already."""
    name = request["TrainingJobName"]
    context.store.require_absent(_KIND, name)
    chosen = tags.as_mapping(request.get("Tags", []))
    _check(request)
    client = context.training.client
    if client is None:
        raise ValidationException("Training needs S3: start the emulator with --s3-endpoint.")
    missing = await asyncio.to_thread(job_files.require, client, request)
    if missing is not None:
        raise ValidationException(missing)
    context.store.require_absent(_KIND, name)  # again: another request may have come in
    arn, now = context.store.account.arn(_KIND, name), context.now()
    described = {key: value for key, value in request.items() if key not in _NOT_DESCRIBED}
    algorithm = described["AlgorithmSpecification"]
    if (metrics := _algorithm_metrics(request)) is not None:
        described["AlgorithmSpecification"] = algorithm | {"MetricDefinitions": list(metrics)}
    described["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_SECONDS} | request.get("StoppingCondition", {})
    for switch in ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"):
        described.setdefault(switch, False)
    described["OutputDataConfig"] = {"KmsKeyId": "", "CompressionType": "GZIP"} | request["OutputDataConfig"]
    artifact = {"S3ModelArtifacts": job_files.model_uri(request, name)}
    described |= {"ModelArtifacts": artifact, "TrainingJobStatus": "InProgress"}
    record = Record(name, arn, now, now, described, tags=chosen, private={"Request": request})
    context.training.set_status(record, "Starting", "Starting the training job")
    context.training.begin(record)
    return {"TrainingJobArn": arn}


async def describe(context: OperationContext, request: Params) -> Params:
    """DescribeTrainingJob."""
    record = context.store.get(_KIND, request["TrainingJobName"])
    return {
        "TrainingJobName": record.name,
        "TrainingJobArn": record.arn,
        "CreationTime": record.created,
        **record.described,
    }


async def list_all(context: OperationContext, request: Params) -> Params:
    """ListTrainingJobs."""
    if {"WarmPoolStatusEquals", "TrainingPlanArnEquals"} & request.keys():
        return {"TrainingJobSummaries": []}
    records, more = pagination.page(context.store.all(_KIND), request)
    return {"TrainingJobSummaries": [_summary(record) for record in records], **more}


async def stop(context: OperationContext, request: Params) -> Params:
    """StopTrainingJob: returns at once; the program gets SIGTERM, and the model that it has written is kept."""
    record = context.store.get(_KIND, request["TrainingJobName"])
    status = record.described["TrainingJobStatus"]
    if status in TERMINAL:
        raise ValidationException(f"The request was rejected because the training job is in status {status}.")
    if status != "Stopping":
        context.training.stop(record)
    return {}


async def delete(context: OperationContext, request: Params) -> Params:
    """DeleteTrainingJob: only one that has ended; its model stays in S3."""
    record = context.store.get(_KIND, request["TrainingJobName"])
    status = record.described["TrainingJobStatus"]
    if status not in TERMINAL:
        raise ResourceInUse(f"The request was rejected because the training job is in status {status}.")
    await context.training.wait_until_done(record.name)
    context.store.remove(_KIND, record.name)
    return {}


def _algorithm_metrics(request: Params) -> Sequence[Mapping[str, str]] | None:
    """Return the metric definitions of a built-in algorithm, or None if the job is not one's."""
    if image_classification.is_builtin_image(request["AlgorithmSpecification"]["TrainingImage"]):
        return image_classification.METRICS
    return xgboost_algorithm.METRICS if xgboost_algorithm.is_named(request) else None


def _check(request: Params) -> None:
    """Raise for what AWS refuses at once, and for what is not emulated."""
    for member in ("AlgorithmSpecification", "ResourceConfig"):
        if member not in request:
            raise ValidationException(f"{member} must be specified.")
    algorithm, resources = request["AlgorithmSpecification"], request["ResourceConfig"]
    if "TrainingImage" not in algorithm or "AlgorithmName" in algorithm:
        raise ValidationException("TrainingImage must be specified; AlgorithmName is not emulated.")
    definitions = algorithm.get("MetricDefinitions", [])
    if definitions and _algorithm_metrics(request) is not None:
        raise ValidationException(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions."
        )
    if "ContainerArguments" in algorithm and "ContainerEntrypoint" not in algorithm:
        raise ValidationException("ContainerArguments without ContainerEntrypoint are not emulated.")
    if "ContainerEntrypoint" in algorithm and image_classification.is_builtin_image(algorithm["TrainingImage"]):
        raise ValidationException("ContainerEntrypoint is not supported for Amazon SageMaker algorithms.")
    problem = job_metrics.problem(definitions)
    if problem is not None:
        raise ValidationException(problem)
    if "InstanceType" not in resources or resources.get("InstanceCount") != 1:
        raise ValidationException("ResourceConfig: one instance of one InstanceType is what is emulated.")
    if request.get("EnableManagedSpotTraining") and "MaxWaitTimeInSeconds" not in request.get("StoppingCondition", {}):
        raise ValidationException("MaxWaitTimeInSeconds must be specified when EnableManagedSpotTraining is true.")
    _check_uris(request)
    _check_not_emulated(request)


def _check_uris(request: Params) -> None:
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if len(set(names)) < len(names):
        raise ValidationException(f"Channel names must be unique: {', '.join(names)}.")
    uris = [request["OutputDataConfig"]["S3OutputPath"]]
    if "CheckpointConfig" in request:
        uris.append(request["CheckpointConfig"]["S3Uri"])
    for uri in uris:
        try:
            S3Uri.parse(uri)
        except InvalidS3Uri as error:
            raise ValidationException(f"The S3 location is invalid: {error}.") from error


def _check_not_emulated(request: Params) -> None:
    algorithm = request["AlgorithmSpecification"]
    unknown: list[str] = [
        member for member in ("ServerlessJobConfig", "ModelPackageConfig", "MlflowConfig") if member in request
    ]
    if request["OutputDataConfig"].get("CompressionType") == "NONE":
        unknown.append("OutputDataConfig.CompressionType NONE")
    if (
        frameworks.has_own_algorithm(algorithm["TrainingImage"])
        and not xgboost_algorithm.is_named(request)
        and "ContainerEntrypoint" not in algorithm
        and "sagemaker_submit_directory" not in request.get("HyperParameters", {})
    ):
        repository = frameworks.repository(algorithm["TrainingImage"])
        unknown.append(
            f"the algorithm of {repository}; a script of one's own is run, image-classification, and xgboost"
        )
    for channel in request.get("InputDataConfig", []):
        where = f"channel {channel['ChannelName']}"
        source = channel["DataSource"].get("S3DataSource")
        if source is None or source["S3DataType"] not in {"S3Prefix", "ManifestFile"}:
            unknown.append(f"a data source other than S3Prefix and ManifestFile ({where})")
        if channel.get("InputMode", algorithm["TrainingInputMode"]) == "Pipe":
            unknown.append(f"Pipe mode ({where})")
        if channel.get("CompressionType", "None") != "None":
            unknown.append(f"CompressionType Gzip ({where})")
    if unknown:
        raise ValidationException(f"Not emulated: {'; '.join(unknown)}.")


def _summary(record: Record) -> dict[str, Any]:
    times = {key: record.described[key] for key in ("TrainingEndTime",) if key in record.described}
    return {
        "TrainingJobName": record.name,
        "TrainingJobArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "TrainingJobStatus": record.described["TrainingJobStatus"],
        "SecondaryStatus": record.described["SecondaryStatus"],
        **times,
    }

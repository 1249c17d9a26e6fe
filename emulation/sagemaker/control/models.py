"""CreateModel, DescribeModel, ListModels, DeleteModel."""

from typing import Any

from emulation.sagemaker.control import pagination, tags
from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.errors import ValidationException
from emulation.sagemaker.hosting.model_artifacts import ModelArtifacts
from emulation.sagemaker.store import Kind, Record
from emulation.sagemaker.validation import Params


async def create(context: OperationContext, request: Params) -> Params:
    """CreateModel: as on AWS, the model's data must be there already."""
    name = request["ModelName"]
    context.store.require_absent(Kind.MODEL, name)
    chosen = tags.as_mapping(request.get("Tags", []))
    for container in _containers(request):
        await _check(context, container, request.get("ExecutionRoleArn", ""))
    context.store.require_absent(Kind.MODEL, name)  # again: another request may have come in
    arn, now = context.store.account.arn(Kind.MODEL, name), context.now()
    described = {key: value for key, value in request.items() if key not in {"ModelName", "Tags"}}
    described.setdefault("EnableNetworkIsolation", False)
    context.store.save(Kind.MODEL, Record(name, arn, now, now, described, tags=chosen))
    return {"ModelArn": arn}


async def describe(context: OperationContext, request: Params) -> Params:
    """DescribeModel."""
    record = context.store.get(Kind.MODEL, request["ModelName"])
    return {"ModelName": record.name, "ModelArn": record.arn, "CreationTime": record.created, **record.described}


async def list_all(context: OperationContext, request: Params) -> Params:
    """ListModels."""
    records, more = pagination.page(context.store.all(Kind.MODEL), request)
    return {
        "Models": [{"ModelName": r.name, "ModelArn": r.arn, "CreationTime": r.created} for r in records],
        **more,
    }


async def delete(context: OperationContext, request: Params) -> Params:
    """DeleteModel: the artifact stays, and so do endpoints that serve it."""
    record = context.store.get(Kind.MODEL, request["ModelName"])
    context.store.remove(Kind.MODEL, record.name)
    return {}


def data_url(container: dict[str, Any]) -> str | None:
    """Return where a container's compressed model lies in S3, if it has one."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        return container.get("ModelDataUrl")
    if source["CompressionType"] != "Gzip" or source["S3DataType"] != "S3Object":
        raise ValidationException(
            "Only a compressed S3Object is emulated as ModelDataSource, not an uncompressed prefix."
        )
    return str(source["S3Uri"])


def _containers(request: Params) -> list[dict[str, Any]]:
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if primary and several:
        raise ValidationException("PrimaryContainer and Containers cannot be both specified.")
    containers = [primary] if primary else several
    if not containers:
        raise ValidationException("At least one container must be specified: PrimaryContainer or Containers.")
    return containers


async def _check(context: OperationContext, container: dict[str, Any], role: str) -> None:
    if "Image" not in container and "ModelPackageName" not in container:
        raise ValidationException("Either Image or ModelPackageName must be specified for a container.")
    if container.get("Mode") == "MultiModel":
        raise ValidationException("Mode MultiModel is not emulated: create a model and an endpoint for each artifact.")
    url = data_url(container)
    if url is not None and isinstance(context.source, ModelArtifacts):
        await context.source.require(url, role)

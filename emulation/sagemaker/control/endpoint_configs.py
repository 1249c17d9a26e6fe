"""CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

from typing import Any

from core.errors import InvalidS3Uri
from core.s3_uris import S3Uri
from emulation.sagemaker.control import pagination, tags
from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.errors import ValidationException
from emulation.sagemaker.store import Kind, Record
from emulation.sagemaker.validation import Params


async def create(context: OperationContext, request: Params) -> Params:
    """CreateEndpointConfig: every variant's model must exist."""
    name = request["EndpointConfigName"]
    context.store.require_absent(Kind.ENDPOINT_CONFIG, name)
    chosen = tags.as_mapping(request.get("Tags", []))
    for member in ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants"):
        if member in request:
            raise ValidationException(f"{member} is not emulated.")
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise ValidationException(f"Variant names must be unique within an endpoint configuration: {', '.join(names)}.")
    for variant in variants:
        _check(context, variant, captured="DataCaptureConfig" in request)
    if "DataCaptureConfig" in request:
        _check_destination(request["DataCaptureConfig"]["DestinationS3Uri"])
    arn, now = context.store.account.arn(Kind.ENDPOINT_CONFIG, name), context.now()
    described = {key: value for key, value in request.items() if key not in {"EndpointConfigName", "Tags"}}
    described["ProductionVariants"] = [{"InitialVariantWeight": 1.0, **variant} for variant in variants]
    described.setdefault("EnableNetworkIsolation", False)
    context.store.save(Kind.ENDPOINT_CONFIG, Record(name, arn, now, now, described, tags=chosen))
    return {"EndpointConfigArn": arn}


async def describe(context: OperationContext, request: Params) -> Params:
    """DescribeEndpointConfig."""
    record = context.store.get(Kind.ENDPOINT_CONFIG, request["EndpointConfigName"])
    return {**_named(record), **record.described}


async def list_all(context: OperationContext, request: Params) -> Params:
    """ListEndpointConfigs."""
    records, more = pagination.page(context.store.all(Kind.ENDPOINT_CONFIG), request)
    return {"EndpointConfigs": [_named(record) for record in records], **more}


async def delete(context: OperationContext, request: Params) -> Params:
    """DeleteEndpointConfig: endpoints with it remain, but AWS does not update them any more."""
    record = context.store.get(Kind.ENDPOINT_CONFIG, request["EndpointConfigName"])
    context.store.remove(Kind.ENDPOINT_CONFIG, record.name)
    return {}


def _check(context: OperationContext, variant: dict[str, Any], *, captured: bool) -> None:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise ValidationException(f"ModelName must be specified for production variant {name}.")
    context.store.get(Kind.MODEL, variant["ModelName"])
    if "ServerlessConfig" in variant:
        if captured:
            raise ValidationException("Data capture is not supported for serverless endpoints.")
    elif "InstanceType" not in variant or "InitialInstanceCount" not in variant:
        raise ValidationException(
            f"InstanceType and InitialInstanceCount, or ServerlessConfig, must be specified for variant {name}."
        )


def _check_destination(uri: str) -> None:
    try:
        S3Uri.parse(uri)
    except InvalidS3Uri as error:
        raise ValidationException(f"DestinationS3Uri: {error}.") from error


def _named(record: Record) -> Params:
    return {
        "EndpointConfigName": record.name,
        "EndpointConfigArn": record.arn,
        "CreationTime": record.created,
    }

"""CreateEndpoint, UpdateEndpoint and …WeightsAndCapacities, DescribeEndpoint, ListEndpoints, DeleteEndpoint."""

from typing import Any

from emulation.sagemaker.control import autoscaling, models, pagination, tags
from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.errors import ResourceLimitExceeded, ValidationException
from emulation.sagemaker.hosting.deployment import ContainerPlan, EndpointPlan, VariantPlan
from emulation.sagemaker.store import Kind, Record
from emulation.sagemaker.validation import Params

MAX_ENDPOINTS = 20
_IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


async def create(context: OperationContext, request: Params) -> Params:
    """CreateEndpoint: returns at once; the endpoint is Creating until its models are healthy."""
    name = request["EndpointName"]
    context.store.require_absent(Kind.ENDPOINT, name)
    if len(context.store.all(Kind.ENDPOINT)) >= MAX_ENDPOINTS:
        raise ResourceLimitExceeded(
            f"The account-level service limit 'Number of endpoints' is {MAX_ENDPOINTS} Instances, with current "
            f"utilization of {MAX_ENDPOINTS} Instances and a request delta of 1 Instances. Please contact AWS support "
            "to request an increase for this limit."
        )
    chosen = tags.as_mapping(request.get("Tags", []))
    plan = _plan(context, request["EndpointConfigName"])
    arn, now = context.store.account.arn(Kind.ENDPOINT, name), context.now()
    described = {"EndpointConfigName": plan.config_name, "EndpointStatus": "Creating"}
    if "DeploymentConfig" in request:
        described["LastDeploymentConfig"] = request["DeploymentConfig"]
    record = Record(name, arn, now, now, described, tags=chosen, private={"Pending": plan.to_dict()})
    context.store.save(Kind.ENDPOINT, record)
    context.instances.begin_create(record)
    return {"EndpointArn": arn}


async def update(context: OperationContext, request: Params) -> Params:
    """UpdateEndpoint: the previous instances serve until the new ones are healthy, and remain if that fails."""
    record = context.store.get(Kind.ENDPOINT, request["EndpointName"])
    _require_settled(record)
    if record.described["EndpointStatus"] == "Failed":
        raise ValidationException(f'Cannot update failed endpoint "{record.arn}".')
    # AWS wants the configuration in service to exist still: one deleted too early blocks every later update.
    before = context.store.get(Kind.ENDPOINT_CONFIG, record.described["EndpointConfigName"])
    _require_instances_kept(context, record, before, request["EndpointConfigName"])
    plan = _plan(context, request["EndpointConfigName"])
    if request.get("RetainAllVariantProperties"):
        _retain(
            plan, EndpointPlan.from_dict(record.private["Serving"]), request.get("ExcludeRetainedVariantProperties", [])
        )
    record.described["EndpointStatus"] = "Updating"
    record.described.pop("FailureReason", None)
    if not request.get("RetainDeploymentConfig"):
        record.described.pop("LastDeploymentConfig", None)
    if "DeploymentConfig" in request:
        record.described["LastDeploymentConfig"] = request["DeploymentConfig"]
    record.private["Pending"] = plan.to_dict()
    record.modified = context.now()
    context.store.save(Kind.ENDPOINT, record)
    context.instances.begin_update(record)
    return {"EndpointArn": record.arn}


async def update_weights(context: OperationContext, request: Params) -> Params:
    """UpdateEndpointWeightsAndCapacities: of the variants in service, without a new configuration."""
    record = context.store.get(Kind.ENDPOINT, request["EndpointName"])
    _require_settled(record)
    if record.described["EndpointStatus"] != "InService":
        raise ValidationException(f'Cannot update endpoint "{record.arn}", which is not in service.')
    plan = EndpointPlan.from_dict(record.private["Serving"])
    variants = {variant.name: variant for variant in plan.variants}
    for desired in request["DesiredWeightsAndCapacities"]:
        variant = variants.get(desired["VariantName"])
        if variant is None:
            raise ValidationException(f'Could not find variant "{desired["VariantName"]}" of endpoint "{record.arn}".')
        variant.weight = desired.get("DesiredWeight", variant.weight)
        variant.instances = desired.get("DesiredInstanceCount", variant.instances)
    record.described["EndpointStatus"] = "Updating"
    record.modified = context.now()
    context.store.save(Kind.ENDPOINT, record)
    context.instances.begin_update_weights(record, plan)
    return {"EndpointArn": record.arn}


async def describe(context: OperationContext, request: Params) -> Params:
    """DescribeEndpoint."""
    record = context.store.get(Kind.ENDPOINT, request["EndpointName"])
    response = _summary(record) | record.described
    serving, pending = record.private.get("Serving"), record.private.get("Pending")
    if serving is not None:
        plan = EndpointPlan.from_dict(serving)
        response["ProductionVariants"] = [_variant(variant, plan.since) for variant in plan.variants]
        if plan.capture is not None:
            response["DataCaptureConfig"] = _capture(plan.capture, running=response["EndpointStatus"] != "Failed")
    if pending is not None:
        plan = EndpointPlan.from_dict(pending)
        response["PendingDeploymentSummary"] = {
            "EndpointConfigName": plan.config_name,
            "StartTime": plan.since,
            "ProductionVariants": [_pending_variant(variant, plan.since) for variant in plan.variants],
        }
    return response


async def list_all(context: OperationContext, request: Params) -> Params:
    """ListEndpoints."""
    records, more = pagination.page(context.store.all(Kind.ENDPOINT), request)
    return {"Endpoints": [_summary(record) for record in records], **more}


async def delete(context: OperationContext, request: Params) -> Params:
    """DeleteEndpoint: returns at once; the endpoint is Deleting until its model servers have stopped."""
    record = context.store.get(Kind.ENDPOINT, request["EndpointName"])
    _require_settled(record)
    record.described["EndpointStatus"] = "Deleting"
    record.modified = context.now()
    context.store.save(Kind.ENDPOINT, record)
    context.instances.begin_delete(record)
    return {}


def _require_settled(record: Record) -> None:
    if record.described["EndpointStatus"] in _IN_PROGRESS:
        raise ValidationException(f'Cannot update in-progress endpoint "{record.arn}".')


def _require_instances_kept(context: OperationContext, record: Record, before: Record, config_name: str) -> None:
    """Raise where an update would give another instance type to a variant that is scaled, as AWS will not.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-update.html
    """
    after = context.store.get(Kind.ENDPOINT_CONFIG, config_name)
    old, new = (
        {variant["VariantName"]: variant.get("InstanceType") for variant in config.described["ProductionVariants"]}
        for config in (before, after)
    )
    for variant in sorted(autoscaling.scaled(record)):
        if variant in old and new.get(variant) != old[variant]:
            raise ValidationException(
                f'Cannot update endpoint "{record.arn}": variant {variant} is registered as a scalable target, and its '
                "instance type would change. Deregister the scalable target first."
            )


def _plan(context: OperationContext, config_name: str) -> EndpointPlan:
    config = context.store.get(Kind.ENDPOINT_CONFIG, config_name)
    variants = [_variant_plan(context, variant) for variant in config.described["ProductionVariants"]]
    return EndpointPlan(config.name, variants, config.described.get("DataCaptureConfig"), context.now())


def _variant_plan(context: OperationContext, variant: dict[str, Any]) -> VariantPlan:
    model = context.store.get(Kind.MODEL, variant["ModelName"]).described
    containers = [model["PrimaryContainer"]] if "PrimaryContainer" in model else model["Containers"]
    if len(containers) > 1 and model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
        raise ValidationException(
            f"Direct invocation is not emulated: {variant['ModelName']} has several containers, which are invoked in "
            "series. Create the model with InferenceExecutionConfig Serial."
        )
    return VariantPlan(
        name=variant["VariantName"],
        weight=variant["InitialVariantWeight"],
        instances=variant.get("InitialInstanceCount", 0),
        containers=[
            ContainerPlan(container.get("Image", ""), models.data_url(container), container.get("Environment", {}))
            for container in containers
        ],
        health_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds"),
    )


def _retain(plan: EndpointPlan, serving: EndpointPlan, excluded: list[dict[str, str]]) -> None:
    dropped = {item["VariantPropertyType"] for item in excluded}
    before = {variant.name: variant for variant in serving.variants}
    for variant in plan.variants:
        if variant.name in before:
            if "DesiredInstanceCount" not in dropped:
                variant.instances = before[variant.name].instances
            if "DesiredWeight" not in dropped:
                variant.weight = before[variant.name].weight
    if "DataCaptureConfig" not in dropped:
        plan.capture = serving.capture


def _summary(record: Record) -> Params:
    return {
        "EndpointName": record.name,
        "EndpointArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "EndpointStatus": record.described["EndpointStatus"],
    }


def _variant(variant: VariantPlan, since: float) -> Params:
    images = [container.image for container in variant.containers]
    return {
        "VariantName": variant.name,
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": since} for image in images
        ],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        "CurrentInstanceCount": variant.instances,
        "DesiredInstanceCount": variant.instances,
    }


def _pending_variant(variant: VariantPlan, since: float) -> Params:
    status = {"Status": "Creating", "StartTime": since}
    return _variant(variant, since) | {"CurrentInstanceCount": 0, "VariantStatus": [status]}


def _capture(config: dict[str, Any], *, running: bool) -> Params:
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled and running else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }

"""Application Auto Scaling for endpoints: targets and policies are checked and kept, but nothing is scaled by them.

An endpoint's variants have one model server each here, whatever their instance count, so there is nothing to scale.
"""

import re
from typing import Any

from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.errors import ObjectNotFound, ValidationException
from emulation.sagemaker.store import Kind, Record
from emulation.sagemaker.validation import Params

NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
_SCALING = "Scaling"
_ROLE = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")


async def register(context: OperationContext, request: Params) -> Params:
    """RegisterScalableTarget: the variant must be in service; an existing target is updated."""
    record, variant = _variant(context, request)
    known = _scaling(record).get(variant, {"Policies": {}, "CreationTime": context.now()})
    target = {**known, **{key: request[key] for key in ("MinCapacity", "MaxCapacity") if key in request}}
    if "MinCapacity" not in target or "MaxCapacity" not in target:
        raise ValidationException("MinCapacity and MaxCapacity are required to register a new scalable target.")
    if target["MinCapacity"] > target["MaxCapacity"]:
        raise ValidationException("Maximum capacity cannot be less than minimum capacity.")
    record.private.setdefault(_SCALING, {})[variant] = target
    context.store.save(Kind.ENDPOINT, record)
    return {"ScalableTargetARN": _arn(context, "scalable-target", request["ResourceId"])}


async def deregister(context: OperationContext, request: Params) -> Params:
    """DeregisterScalableTarget: its policies go with it."""
    record, variant = _target(context, request)
    del record.private[_SCALING][variant]
    context.store.save(Kind.ENDPOINT, record)
    return {}


async def describe_targets(context: OperationContext, request: Params) -> Params:
    """DescribeScalableTargets."""
    return {
        "ScalableTargets": [
            {
                **_place(resource),
                "MinCapacity": target["MinCapacity"],
                "MaxCapacity": target["MaxCapacity"],
                "RoleARN": f"arn:aws:iam::{context.store.account.number}:role/{_ROLE}",
                "CreationTime": target["CreationTime"],
                "ScalableTargetARN": _arn(context, "scalable-target", resource),
            }
            for resource, target in _all(context)
            if resource in request.get("ResourceIds", [resource])
        ]
    }


async def put_policy(context: OperationContext, request: Params) -> Params:
    """PutScalingPolicy: target tracking alone, on a registered target."""
    record, variant = _target(context, request)
    kept = {key: request.get(key) for key in ("PolicyType", "TargetTrackingScalingPolicyConfiguration")}
    if kept["PolicyType"] != "TargetTrackingScaling" or None in kept.values():
        raise ValidationException("Only TargetTrackingScaling with its configuration is emulated.")
    policies = record.private[_SCALING][variant]["Policies"]
    policies[request["PolicyName"]] = kept | {"CreationTime": context.now()}
    context.store.save(Kind.ENDPOINT, record)
    return {"PolicyARN": _policy_arn(context, request["ResourceId"], request["PolicyName"]), "Alarms": []}


async def delete_policy(context: OperationContext, request: Params) -> Params:
    """DeleteScalingPolicy."""
    record, variant = _target(context, request)
    if record.private[_SCALING][variant]["Policies"].pop(request["PolicyName"], None) is None:
        raise ObjectNotFound(f"No scaling policy found for {_described(request)}.")
    context.store.save(Kind.ENDPOINT, record)
    return {}


async def describe_policies(context: OperationContext, request: Params) -> Params:
    """DescribeScalingPolicies."""
    return {
        "ScalingPolicies": [
            {**_place(resource), **policy, "PolicyName": name, "PolicyARN": _policy_arn(context, resource, name)}
            for resource, target in _all(context)
            for name, policy in target["Policies"].items()
            if resource == request.get("ResourceId", resource) and name in request.get("PolicyNames", [name])
        ]
    }


def scaled(record: Record) -> frozenset[str]:
    """Return the variants of an endpoint that are scalable targets."""
    return frozenset(_scaling(record))


def _scaling(record: Record) -> dict[str, Any]:
    target: dict[str, Any] = record.private.get(_SCALING, {})
    return target


def _variant(context: OperationContext, request: Params) -> tuple[Record, str]:
    """Return the endpoint and the name of the variant that a request is about. Raises as AWS does."""
    match = _RESOURCE.fullmatch(request["ResourceId"])
    if request["ServiceNamespace"] != NAMESPACE or request["ScalableDimension"] != DIMENSION or match is None:
        raise ValidationException(
            f"Only {NAMESPACE}, endpoint/NAME/variant/NAME and {DIMENSION} are emulated, not {_described(request)}."
        )
    record = context.store.get(Kind.ENDPOINT, match[1])
    if match[2] not in {variant["name"] for variant in (record.private.get("Serving") or {}).get("variants", ())}:
        raise ValidationException(f'Could not find variant "{match[2]}" of endpoint "{record.arn}".')
    return record, match[2]


def _target(context: OperationContext, request: Params) -> tuple[Record, str]:
    match = _RESOURCE.fullmatch(request["ResourceId"])
    record = context.store.find(Kind.ENDPOINT, match[1]) if match else None
    if record is None or match is None or match[2] not in _scaling(record):
        raise ObjectNotFound(f"No scalable target found for {_described(request)}.")
    return record, match[2]


def _all(context: OperationContext) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"endpoint/{record.name}/variant/{variant}", target)
        for record in context.store.all(Kind.ENDPOINT)
        for variant, target in _scaling(record).items()
    ]


def _described(request: Params) -> str:
    return (
        f"service namespace: {request['ServiceNamespace']}, resource ID: {request['ResourceId']}, "
        f"scalable dimension: {request['ScalableDimension']}"
    )


def _place(resource: str) -> Params:
    return {"ServiceNamespace": NAMESPACE, "ResourceId": resource, "ScalableDimension": DIMENSION}


def _policy_arn(context: OperationContext, resource: str, name: str) -> str:
    account = context.store.account
    return (
        f"arn:aws:autoscaling:{account.region}:{account.number}:scalingPolicy:00000000-0000-0000-0000-000000000000:"
        f"resource/{NAMESPACE}/{resource}:policyName/{name}"
    )


def _arn(context: OperationContext, word: str, resource: str) -> str:
    account = context.store.account
    return f"arn:aws:application-autoscaling:{account.region}:{account.number}:{word}/{resource.replace('/', '-')}"

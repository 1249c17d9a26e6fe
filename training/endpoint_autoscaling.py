"""Scaling of an endpoint's variant between two instance counts, by its load.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core.aws_errors import error_code
from training.errors import translate_errors

INVOCATIONS_PER_MINUTE = 1000.0
"""Target of the scaling policy, per instance: about a third of what one ml.m5.xlarge serves."""

_NAMESPACE, _DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
_POLICY = "invocations-per-instance"


def register_scaling(client: Any, endpoint: str, variant: str, min_instances: int, max_instances: int) -> None:
    """Let application-autoscaling run ``min_instances`` to ``max_instances``. Raises a SageMakerError."""
    target = _scalable_target(endpoint, variant)
    with translate_errors("autoscaling"):
        client.register_scalable_target(**target, MinCapacity=min_instances, MaxCapacity=max_instances)
        client.put_scaling_policy(
            **target,
            PolicyName=_POLICY,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": INVOCATIONS_PER_MINUTE,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "ScaleInCooldown": 300,
                "ScaleOutCooldown": 60,
            },
        )


def deregister_scaling(client: Any, endpoint: str, variant: str) -> bool:
    """Remove the scalable target and its policies; return whether there was one.

    Returns False where the service is absent, too: then nothing is registered.
    """
    try:
        client.deregister_scalable_target(**_scalable_target(endpoint, variant))
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error_code(error) == "AccessDeniedException":
            raise
        return False
    return True


def _scalable_target(endpoint: str, variant: str) -> dict[str, str]:
    return {
        "ServiceNamespace": _NAMESPACE,
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": _DIMENSION,
    }

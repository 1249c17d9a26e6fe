"""How many instances an endpoint's variant runs on, by its load.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from training.errors import translated

INVOCATIONS_PER_MINUTE = 1000.0
"""Invocations a minute and instance that scaling aims at: a sixtieth of a second each, a third of what one manages."""

_NAMESPACE, _DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
_POLICY = "invocations-per-instance"


def scale(client: Any, endpoint: str, variant: str, least: int, most: int) -> None:
    """Let application-autoscaling keep ``least`` to ``most`` instances. Raises a HostingError."""
    target = _target(endpoint, variant)
    with translated("autoscaling"):
        client.register_scalable_target(**target, MinCapacity=least, MaxCapacity=most)
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


def forget(client: Any, endpoint: str, variant: str) -> bool:
    """Remove the scaling target with its policies; say whether there was one. No service there is none to remove."""
    try:
        client.deregister_scalable_target(**_target(endpoint, variant))
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "AccessDeniedException":
            raise
        return False
    return True


def _target(endpoint: str, variant: str) -> dict[str, str]:
    return {
        "ServiceNamespace": _NAMESPACE,
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": _DIMENSION,
    }

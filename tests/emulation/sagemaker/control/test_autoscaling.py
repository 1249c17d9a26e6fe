"""Application Auto Scaling's part of the emulator, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulation.sagemaker.emulator import Emulator

POLICY = {
    "TargetValue": 1000.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


def place(endpoint: str, variant: str = "AllTraffic") -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_variant_is_registered_described_and_forgotten(stub_emulator: Emulator, name: str) -> None:
    stub_emulator.endpoint(name)
    scaling = stub_emulator.client("application-autoscaling")
    scaling.register_scalable_target(**place(name), MinCapacity=1, MaxCapacity=3)
    scaling.register_scalable_target(**place(name), MaxCapacity=4)
    policy = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": POLICY}
    made = scaling.put_scaling_policy(**place(name), PolicyName="p", **policy)
    resource = place(name)["ResourceId"]
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])
    (target,) = targets["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (resource, 1, 4)
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=resource)
    (policy,) = policies["ScalingPolicies"]
    assert (policy["PolicyARN"], policy["PolicyName"]) == (made["PolicyARN"], "p")
    assert policy["TargetTrackingScalingPolicyConfiguration"] == POLICY
    scaling.delete_scaling_policy(**place(name), PolicyName="p")
    assert refusal(scaling.delete_scaling_policy, **place(name), PolicyName="p")[0] == "ObjectNotFoundException"
    scaling.deregister_scalable_target(**place(name))
    assert refusal(scaling.deregister_scalable_target, **place(name))[0] == "ObjectNotFoundException"
    stub_emulator.client("sagemaker").delete_endpoint(EndpointName=name)


def test_a_variant_that_is_scaled_keeps_its_instance_type(stub_emulator: Emulator, name: str) -> None:
    stub_emulator.endpoint(name)
    scaling, sagemaker = stub_emulator.client("application-autoscaling"), stub_emulator.client("sagemaker")
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.c5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-2", ProductionVariants=[variant])
    scaling.register_scalable_target(**place(name), MinCapacity=1, MaxCapacity=3)
    parameters = {"EndpointName": name, "EndpointConfigName": f"{name}-2"}
    code, message = refusal(sagemaker.update_endpoint, **parameters)
    assert (code, "Deregister the scalable target" in message) == ("ValidationException", True)
    scaling.deregister_scalable_target(**place(name))
    sagemaker.update_endpoint(**parameters)
    stub_emulator.wait(name)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(
    "change",
    [
        {"ResourceId": "endpoint/none/variant/AllTraffic"},
        {"ResourceId": "endpoint/{name}/variant/Other"},
        {"ResourceId": "service/cluster/x"},
        {"ServiceNamespace": "ecs"},
        {"MinCapacity": 5},
    ],
)
def test_what_cannot_be_scaled_is_refused(stub_emulator: Emulator, name: str, change: dict[str, Any]) -> None:
    stub_emulator.endpoint(name)
    parameters = {**place(name), "MinCapacity": 1, "MaxCapacity": 3, **change}
    parameters["ResourceId"] = parameters["ResourceId"].format(name=name)
    scaling = stub_emulator.client("application-autoscaling")
    assert refusal(scaling.register_scalable_target, **parameters)[0] == "ValidationException"
    assert refusal(scaling.put_scaling_policy, **place(name), PolicyName="p")[0] == "ObjectNotFoundException"
    stub_emulator.client("sagemaker").delete_endpoint(EndpointName=name)

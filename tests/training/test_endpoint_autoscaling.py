import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.training.clients import client
from training.endpoint_autoscaling import deregister_scaling, register_scaling

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/vehicles/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


def test_scaling_tracks_invocations_per_instance() -> None:
    scaling = client("application-autoscaling")
    policy = {
        "PolicyName": "invocations-per-instance",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 1000.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleInCooldown": 300,
            "ScaleOutCooldown": 60,
        },
    }
    with Stubber(scaling) as stub:
        stub.add_response("register_scalable_target", {}, {**TARGET, "MinCapacity": 1, "MaxCapacity": 3})
        stub.add_response("put_scaling_policy", {"PolicyARN": "arn"}, {**TARGET, **policy})
        register_scaling(scaling, "vehicles", "AllTraffic", 1, 3)
        stub.assert_no_pending_responses()


def test_deregistering_tells_whether_there_was_a_target() -> None:
    scaling = client("application-autoscaling")
    with Stubber(scaling) as stub:
        stub.add_response("deregister_scalable_target", {}, TARGET)
        assert deregister_scaling(scaling, "vehicles", "AllTraffic") is True
        stub.add_client_error("deregister_scalable_target", "ObjectNotFoundException")
        assert deregister_scaling(scaling, "vehicles", "AllTraffic") is False


def test_a_missing_permission_is_not_taken_for_a_missing_target() -> None:
    scaling = client("application-autoscaling")
    with Stubber(scaling) as stub:
        stub.add_client_error("deregister_scalable_target", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            deregister_scaling(scaling, "vehicles", "AllTraffic")

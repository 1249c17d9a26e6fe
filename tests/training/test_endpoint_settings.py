"""Scaling, planned end, quota and price: each call as botocore's Stubber sees it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from training import endpoint_autoscaling, endpoint_ttl, instance_prices, service_quotas
from training.errors import InvalidTtl, QuotaIsZero

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def test_scaling_tracks_invocations_per_instance() -> None:
    made = client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/vehicles/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    with Stubber(made) as stub:
        stub.add_response("register_scalable_target", {}, {**target, "MinCapacity": 1, "MaxCapacity": 3})
        policy = {"PolicyName": ANY, "PolicyType": "TargetTrackingScaling"}
        config = {"TargetTrackingScalingPolicyConfiguration": ANY}
        stub.add_response("put_scaling_policy", {"PolicyARN": "arn"}, {**target, **policy, **config})
        endpoint_autoscaling.scale(made, "vehicles", "AllTraffic", 1, 3)
        stub.add_client_error("deregister_scalable_target", "ObjectNotFoundException")
        assert endpoint_autoscaling.forget(made, "vehicles", "AllTraffic") is False
        stub.assert_no_pending_responses()


def test_the_end_is_planned_with_the_universal_target_and_planned_anew() -> None:
    made = client("scheduler")
    plan = {
        "Name": "delete-vehicles",
        "ScheduleExpression": "at(2026-11-24T09:00:00)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
            "RoleArn": "arn:aws:iam::000000000000:role/x",
            "Input": json.dumps({"EndpointName": "vehicles"}),
        },
    }
    with Stubber(made) as stub:
        stub.add_client_error("create_schedule", "ConflictException", expected_params=plan)
        stub.add_response("update_schedule", {"ScheduleArn": "arn:x"}, plan)
        when = endpoint_ttl.schedule(made, "vehicles", plan["Target"]["RoleArn"], endpoint_ttl.parse("4h"), NOW)  # type: ignore[index]
    assert when == NOW + timedelta(hours=4)


@pytest.mark.parametrize("text", ["4", "h", "0h", "-1h", "4 hours", "99999m"])
def test_a_life_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidTtl, match="30m, 4h or 2d"):
        endpoint_ttl.parse(text)


@pytest.mark.parametrize(("value", "found"), [(2.0, 2.0), (0.0, None)])
def test_a_quota_of_nothing_is_named_with_where_to_ask(value: float, found: float | None) -> None:
    made = client("service-quotas")
    entry = {"QuotaName": "ml.g5.xlarge for training job usage", "QuotaCode": "L-3F53BF0F", "Value": value}
    with Stubber(made) as stub:
        stub.add_response("list_service_quotas", {"Quotas": [entry]}, {"ServiceCode": "sagemaker"})
        if found:
            assert service_quotas.check(made, "ml.g5.xlarge", "training job", "us-east-1") == found
        else:
            with pytest.raises(QuotaIsZero, match=r"training job usage.*servicequotas.*L-3F53BF0F"):
                service_quotas.check(made, "ml.g5.xlarge", "training job", "us-east-1")


def test_the_price_is_awss_own_where_it_answers_and_the_dated_table_elsewhere() -> None:
    made = client("pricing")
    dimension = {"priceDimensions": {"y": {"pricePerUnit": {"USD": "0.25"}}}}
    product = json.dumps({"terms": {"OnDemand": {"x": dimension}}})
    with Stubber(made) as stub:
        stub.add_response("get_products", {"PriceList": [product]})
        assert instance_prices.price(made, "ml.m5.xlarge", "Hosting", "us-east-1").hourly == 0.25
        stub.add_client_error("get_products", "AccessDeniedException")
        assert "list price in us-east-1" in str(instance_prices.price(made, "ml.m5.xlarge", "Hosting", "us-east-1"))
        stub.add_client_error("get_products", "AccessDeniedException")
        assert instance_prices.price(made, "ml.unheard.of", "Hosting", "us-east-1").hourly is None

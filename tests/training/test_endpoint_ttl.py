import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.training.clients import client
from training.endpoint_ttl import ScheduleRole, cancel_deletion, schedule_deletion

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
ROLE_ARN = "arn:aws:iam::000000000000:role/x"
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:dead-letter"
ROLE = ScheduleRole(ROLE_ARN, QUEUE_ARN)
SCHEDULE: dict[str, Any] = {
    "Name": "delete-vehicles",
    "ScheduleExpression": "at(2026-11-24T09:00:00)",
    "ScheduleExpressionTimezone": "UTC",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "ActionAfterCompletion": "DELETE",
    "Target": {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
        "RoleArn": ROLE_ARN,
        "Input": json.dumps({"EndpointName": "vehicles"}),
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185},
        "DeadLetterConfig": {"Arn": QUEUE_ARN},
    },
}


def test_deletion_is_scheduled_with_the_universal_target() -> None:
    scheduler = client("scheduler")
    with Stubber(scheduler) as stub:
        stub.add_response("create_schedule", {"ScheduleArn": "arn:x"}, SCHEDULE)
        time = schedule_deletion(scheduler, "vehicles", ROLE, timedelta(hours=4), NOW)
        stub.assert_no_pending_responses()
    assert time == NOW + timedelta(hours=4)


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_the_target_is_in_the_partition_of_the_role(partition: str) -> None:
    scheduler, role = client("scheduler"), ScheduleRole(ROLE_ARN.replace("arn:aws:", f"arn:{partition}:"), QUEUE_ARN)
    arn = f"arn:{partition}:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
    target = {**SCHEDULE["Target"], "Arn": arn, "RoleArn": role.role_arn}
    with Stubber(scheduler) as stub:
        stub.add_response("create_schedule", {"ScheduleArn": "arn:x"}, {**SCHEDULE, "Target": target})
        schedule_deletion(scheduler, "vehicles", role, timedelta(hours=4), NOW)


def test_a_second_schedule_replaces_the_first() -> None:
    scheduler = client("scheduler")
    with Stubber(scheduler) as stub:
        stub.add_client_error("create_schedule", "ConflictException", expected_params=SCHEDULE)
        stub.add_response("update_schedule", {"ScheduleArn": "arn:x"}, SCHEDULE)
        schedule_deletion(scheduler, "vehicles", ROLE, timedelta(hours=4), NOW)
        stub.assert_no_pending_responses()


def test_cancelling_tells_whether_there_was_a_schedule() -> None:
    scheduler = client("scheduler")
    with Stubber(scheduler) as stub:
        stub.add_response("delete_schedule", {}, {"Name": "delete-vehicles"})
        assert cancel_deletion(scheduler, "vehicles") is True
        stub.add_client_error("delete_schedule", "ResourceNotFoundException")
        assert cancel_deletion(scheduler, "vehicles") is False
        stub.add_client_error("delete_schedule", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            cancel_deletion(scheduler, "vehicles")

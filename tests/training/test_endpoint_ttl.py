import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.training.clients import client
from training.endpoint_ttl import cancel_deletion, schedule_deletion

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
ROLE = "arn:aws:iam::000000000000:role/x"
SCHEDULE: dict[str, Any] = {
    "Name": "delete-vehicles",
    "ScheduleExpression": "at(2026-11-24T09:00:00)",
    "ScheduleExpressionTimezone": "UTC",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "ActionAfterCompletion": "DELETE",
    "Target": {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
        "RoleArn": ROLE,
        "Input": json.dumps({"EndpointName": "vehicles"}),
    },
}


def test_deletion_is_scheduled_with_the_universal_target() -> None:
    scheduler = client("scheduler")
    with Stubber(scheduler) as stub:
        stub.add_response("create_schedule", {"ScheduleArn": "arn:x"}, SCHEDULE)
        time = schedule_deletion(scheduler, "vehicles", ROLE, timedelta(hours=4), NOW)
        stub.assert_no_pending_responses()
    assert time == NOW + timedelta(hours=4)


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

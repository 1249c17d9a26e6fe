"""Scheduled deletion of an endpoint: EventBridge Scheduler calls DeleteEndpoint itself.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core.aws_errors import error_code
from training.errors import translate_errors

ACTION = "aws-sdk:sagemaker:deleteEndpoint"
# SageMaker refuses to delete an endpoint that it is creating or updating, which takes minutes.
_RETRY_POLICY = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185}


@dataclass(frozen=True)
class ScheduleRole:
    """The role that deletes the endpoint, and the queue that receives a deletion which has failed for an hour."""

    role_arn: str
    dead_letter_queue_arn: str


def schedule_deletion(
    client: Any, endpoint: str, role: ScheduleRole, ttl: timedelta, now: datetime | None = None
) -> datetime:
    """Schedule the deletion in ``ttl``, replacing an earlier one; return its time, UTC. Raises a SageMakerError."""
    time = ((now or datetime.now(UTC)) + ttl).replace(microsecond=0)
    partition = role.role_arn.split(":")[1]
    schedule = {
        "Name": _schedule_name(endpoint),
        "ScheduleExpression": f"at({time:%Y-%m-%dT%H:%M:%S})",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": f"arn:{partition}:scheduler:::{ACTION}",
            "RoleArn": role.role_arn,
            "Input": json.dumps({"EndpointName": endpoint}),
            "RetryPolicy": _RETRY_POLICY,
            "DeadLetterConfig": {"Arn": role.dead_letter_queue_arn},
        },
    }
    with translate_errors("schedule"):
        try:
            client.create_schedule(**schedule)
        except ClientError as error:
            if error_code(error) != "ConflictException":
                raise
            client.update_schedule(**schedule)
    return time


def cancel_deletion(client: Any, endpoint: str) -> bool:
    """Remove the schedule; return whether there was one. Returns False where the service is absent, too."""
    try:
        client.delete_schedule(Name=_schedule_name(endpoint))
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error_code(error) == "AccessDeniedException":
            raise
        return False
    return True


def _schedule_name(endpoint: str) -> str:
    return f"delete-{endpoint}"[:64]

"""An endpoint's planned end: EventBridge Scheduler itself calls DeleteEndpoint, with no code of ours.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from training.errors import InvalidTtl, translated

TARGET = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse(text: str) -> timedelta:
    """Read 30m, 4h or 2d. Raises InvalidTtl."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", text.strip())
    if found is None:
        raise InvalidTtl(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def schedule(client: Any, endpoint: str, role_arn: str, life: timedelta, now: datetime | None = None) -> datetime:
    """Plan the endpoint's deletion once, in place of an earlier plan; return when, UTC. Raises a HostingError."""
    when = ((now or datetime.now(UTC)) + life).replace(microsecond=0)
    plan = {
        "Name": _name(endpoint),
        "ScheduleExpression": f"at({when:%Y-%m-%dT%H:%M:%S})",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {"Arn": TARGET, "RoleArn": role_arn, "Input": json.dumps({"EndpointName": endpoint})},
    }
    with translated("schedule"):
        try:
            client.create_schedule(**plan)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise
            client.update_schedule(**plan)
    return when


def cancel(client: Any, endpoint: str) -> bool:
    """Remove the plan; say whether there was one. Where there is no such service there is no plan."""
    try:
        client.delete_schedule(Name=_name(endpoint))
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "AccessDeniedException":
            raise
        return False
    return True


def _name(endpoint: str) -> str:
    return f"delete-{endpoint}"[:64]

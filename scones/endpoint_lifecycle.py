"""What belongs to an endpoint: its scaling and its scheduled deletion."""

from datetime import datetime, timedelta
from typing import Any

import boto3

from core.durations import parse_duration
from orchestration.errors import OutputMissing
from orchestration.stack_outputs import StackOutputs
from training import endpoint_autoscaling, endpoint_ttl
from training.endpoint_spec import VARIANT


def schedule_role(outputs: StackOutputs) -> endpoint_ttl.ScheduleRole:
    """Return what deletes an endpoint on schedule. Raises OutputMissing."""
    role_arn = outputs.require_role("EndpointDeletionRoleArn")
    if outputs.dead_letter_queue_arn is None:
        raise OutputMissing("DeadLetterQueueArn")
    return endpoint_ttl.ScheduleRole(role_arn, outputs.dead_letter_queue_arn)


class EndpointLifecycle:
    """The scaling and the scheduled deletion of an endpoint, set after it has been deployed."""

    def __init__(
        self, session: boto3.Session, outputs: StackOutputs, endpoint: str, maximum: int | None, ttl: str | None
    ) -> None:
        """Check what could fail after the deployment. Raises InvalidDuration or OutputMissing."""
        self._session, self._endpoint, self._maximum = session, endpoint, maximum
        self._ttl: timedelta | None = parse_duration(ttl) if ttl else None
        self._role = schedule_role(outputs) if ttl else None

    def prepare(self) -> None:
        """Schedule the deletion, and deregister scaling: AWS refuses to change the instances of a variant that scales.

        The schedule exists before the endpoint does, so that no interruption leaves an endpoint without it.
        """
        self._schedule_deletion()
        endpoint_autoscaling.deregister_scaling(
            self._session.client("application-autoscaling"), self._endpoint, VARIANT
        )

    def apply(self, minimum: int) -> dict[str, Any]:
        """Set or remove scaling, restart the TTL or cancel the deletion; return both as a command prints them."""
        instances: int | str = minimum
        if self._maximum is not None:
            client = self._session.client("application-autoscaling")
            endpoint_autoscaling.register_scaling(client, self._endpoint, VARIANT, minimum, self._maximum)
            instances = f"{minimum} to {self._maximum}"
        deleted_at = self._schedule_deletion()
        if deleted_at is None:  # only now: an earlier schedule must outlast a deployment that fails
            endpoint_ttl.cancel_deletion(self._session.client("scheduler"), self._endpoint)
        return {"instances": instances, "deleted_at": deleted_at}

    def _schedule_deletion(self) -> datetime | None:
        """Schedule the deletion in a TTL from now and return its time; None without a TTL."""
        if self._ttl is None or self._role is None:
            return None
        scheduler = self._session.client("scheduler")
        return endpoint_ttl.schedule_deletion(scheduler, self._endpoint, self._role, self._ttl)

"""What belongs to an endpoint beside itself: its scaling and its scheduled deletion."""

from datetime import timedelta
from typing import Any

import boto3

from core.durations import parse_duration
from scones.stack_outputs import StackOutputs
from training import endpoint_autoscaling, endpoint_ttl
from training.endpoint_spec import VARIANT


class EndpointLifecycle:
    """The scaling and the scheduled deletion of an endpoint, set after it has been deployed."""

    def __init__(
        self, session: boto3.Session, outputs: StackOutputs, endpoint: str, maximum: int | None, ttl: str | None
    ) -> None:
        """Check what could fail after the deployment. Raises InvalidDuration or RoleMissing."""
        self._session, self._endpoint, self._maximum = session, endpoint, maximum
        self._ttl: timedelta | None = parse_duration(ttl) if ttl else None
        self._deletion_role = outputs.require_role("EndpointDeletionRoleArn") if ttl else ""

    def stop_scaling(self) -> None:
        """Deregister the endpoint's scaling: AWS refuses to change the instances of a variant that scales."""
        stop_scaling(self._session, self._endpoint)

    def apply(self, minimum: int) -> dict[str, Any]:
        """Set or remove scaling and scheduled deletion, and return both as a command prints them."""
        instances: int | str = minimum
        if self._maximum is not None:
            client = self._session.client("application-autoscaling")
            endpoint_autoscaling.register_scaling(client, self._endpoint, VARIANT, minimum, self._maximum)
            instances = f"{minimum} to {self._maximum}"
        scheduler, deleted_at = self._session.client("scheduler"), None
        if self._ttl is not None:
            deleted_at = endpoint_ttl.schedule_deletion(scheduler, self._endpoint, self._deletion_role, self._ttl)
        else:  # only now: an earlier schedule must outlast a deployment that fails
            endpoint_ttl.cancel_deletion(scheduler, self._endpoint)
        return {"instances": instances, "deleted_at": deleted_at}


def stop_scaling(session: boto3.Session, endpoint: str) -> None:
    """Deregister an endpoint's scaling target, which outlives the endpoint otherwise."""
    endpoint_autoscaling.deregister_scaling(session.client("application-autoscaling"), endpoint, VARIANT)


def cancel_deletion(session: boto3.Session, endpoint: str) -> None:
    """Delete an endpoint's schedule for its deletion."""
    endpoint_ttl.cancel_deletion(session.client("scheduler"), endpoint)

"""The alarms that roll an update back, observed while the previous instances are kept."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5


class Alarms:
    """CloudWatch's alarms, none without a client; observed for ``longest`` seconds at most."""

    def __init__(self, client: Any, longest: float) -> None:
        self._client = client
        self._longest = longest

    async def first_in_alarm(self, deployment: Mapping[str, Any]) -> str | None:
        """Wait as a ``DeploymentConfig`` says; return the first of its alarms that goes into ALARM, if any."""
        names = [alarm["AlarmName"] for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", ())]
        if self._client is None or not names:
            return None
        ends = time.monotonic() + min(self._longest, _observation_seconds(deployment))
        while True:
            alarm = await asyncio.to_thread(self._in_alarm, names)
            if alarm is not None or time.monotonic() >= ends:
                return alarm
            await asyncio.sleep(_POLL_SECONDS)

    def _in_alarm(self, names: list[str]) -> str | None:
        try:
            alarms = self._client.describe_alarms(AlarmNames=names)["MetricAlarms"]
        except (ClientError, BotoCoreError) as error:
            log.warning("the alarms %s cannot be read: %s", ", ".join(names), error)
            return None
        # The service's own filter by state is not LocalStack's.
        return next((str(alarm["AlarmName"]) for alarm in alarms if alarm["StateValue"] == "ALARM"), None)


def _observation_seconds(deployment: Mapping[str, Any]) -> float:
    policy = deployment.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {})
    return float(routing.get("WaitIntervalInSeconds", 0) + policy.get("TerminationWaitInSeconds", 0))

"""The alarms that call an update back, watched for as long as the new instances is on trial."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5


class Alarms:
    """CloudWatch's alarms; without a client none ever sounds. A trial lasts ``longest`` seconds at most."""

    def __init__(self, client: Any, longest: float) -> None:
        self._client = client
        self._longest = longest

    async def sounding(self, deployment: Mapping[str, Any]) -> str | None:
        """Wait as a ``DeploymentConfig`` says; return the first of its alarms that sounds meanwhile, if one does."""
        names = [alarm["AlarmName"] for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", ())]
        if self._client is None or not names:
            return None
        ends = time.monotonic() + min(self._longest, _trial_seconds(deployment))
        while True:
            found = await asyncio.to_thread(self._look, names)
            if found is not None or time.monotonic() >= ends:
                return found
            await asyncio.sleep(_POLL_SECONDS)

    def _look(self, names: list[str]) -> str | None:
        try:
            found = self._client.describe_alarms(AlarmNames=names)["MetricAlarms"]
        except (ClientError, BotoCoreError) as error:
            log.warning("the alarms %s cannot be seen: %s", ", ".join(names), error)
            return None
        # The service's own filter by state is not LocalStack's.
        return next((str(alarm["AlarmName"]) for alarm in found if alarm["StateValue"] == "ALARM"), None)


def _trial_seconds(deployment: Mapping[str, Any]) -> float:
    policy = deployment.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {})
    return float(routing.get("WaitIntervalInSeconds", 0) + policy.get("TerminationWaitInSeconds", 0))

"""The metrics of a training job: what its MetricDefinitions find in its log."""

import asyncio
import logging
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

NAMESPACE = "/aws/sagemaker/TrainingJobs"
_MAX_LINE = 4096
_MAX_BATCH = 500
_MAX_UNPUBLISHED = 100_000
_PUBLISH_SECONDS = 5.0
log = logging.getLogger(__name__)


class Metrics:
    """Reads the values of metrics from log lines, keeps the last of each, and publishes all to CloudWatch.

    The value of a metric is the first group of its pattern. Without a client nothing is published.
    """

    def __init__(
        self, definitions: Iterable[Mapping[str, str]], now: Callable[[], float], client: Any = None, job: str = ""
    ) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._now = now
        self._last: dict[str, dict[str, Any]] = {}
        self._client = client
        self._dimensions = [{"Name": "TrainingJobName", "Value": job}]
        self._unpublished: deque[dict[str, Any]] = deque(maxlen=_MAX_UNPUBLISHED)

    def read(self, line: str) -> None:
        """Take the metrics of the line; values that are not numbers are ignored."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(line[:_MAX_LINE]):
                value = _number(match)
                if value is not None:
                    self._last[name] = {"MetricName": name, "Value": value, "Timestamp": self._now()}
                    self._unpublished.append(self._last[name])

    def final(self) -> list[dict[str, Any]]:
        """Return FinalMetricDataList."""
        return list(self._last.values())

    async def run(self) -> None:
        """Publish what has been read every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(_PUBLISH_SECONDS)
            await self.publish()

    async def publish(self) -> None:
        """Publish what has been read; what CloudWatch does not accept is tried again."""
        while self._client is not None and self._unpublished:
            batch = [self._unpublished[index] for index in range(min(len(self._unpublished), _MAX_BATCH))]
            try:
                await asyncio.to_thread(self._put, batch)
            except (ClientError, BotoCoreError) as error:
                log.warning("metrics of %s are not in CloudWatch yet: %s", self._dimensions[0]["Value"], error)
                return
            for _ in batch:
                self._unpublished.popleft()

    def _put(self, batch: list[dict[str, Any]]) -> None:
        self._client.put_metric_data(
            Namespace=NAMESPACE, MetricData=[{**datum, "Dimensions": self._dimensions} for datum in batch]
        )


def problem(definitions: Iterable[Mapping[str, str]]) -> str | None:
    """Return what is wrong with the first invalid pattern."""
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except (re.error, RecursionError, OverflowError) as error:
            return f"MetricDefinition {definition['Name']} has an invalid regular expression: {error}"
    return None


def _number(match: re.Match[str]) -> float | None:
    try:
        value = float(match[1] if match.re.groups else match[0])
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None

"""A stream of CloudWatch Logs, for the logs of training jobs and endpoints."""

import asyncio
import logging
import time
from collections import deque
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core.aws_errors import error_code

log = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.5
_MAX_EVENTS = 1000
_MAX_EVENT_BYTES = 16 * 1024
_MAX_HELD = 100_000


class LogStream:
    """Takes lines at once and brings them to CloudWatch Logs in the background, in order; without a client, nowhere."""

    def __init__(self, client: Any, group: str, stream: str) -> None:
        self._client = client
        self._names = {"logGroupName": group, "logStreamName": stream}
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MAX_HELD)
        self._made = False
        self._sending = asyncio.Lock()

    def write(self, line: str) -> None:
        """Add a line."""
        if self._client is not None:
            message = line.encode(errors="replace")[:_MAX_EVENT_BYTES].decode(errors="ignore") or " "
            self._waiting.append({"timestamp": int(time.time() * 1000), "message": message})

    async def run(self) -> None:
        """Send what has come in, for ever."""
        while True:
            await self.flush()
            await asyncio.sleep(_FLUSH_SECONDS)

    async def flush(self) -> None:
        """Send what has come in; what CloudWatch Logs does not take stays for the next attempt.

        A request that has begun ends even if the caller is cancelled: otherwise its lines would be sent again.
        """
        if self._client is not None:
            await asyncio.shield(asyncio.create_task(self._flush()))

    async def _flush(self) -> None:
        async with self._sending:
            try:
                if not self._made:
                    await asyncio.to_thread(self._make)
                while self._waiting:
                    batch = [self._waiting[index] for index in range(min(len(self._waiting), _MAX_EVENTS))]
                    await asyncio.to_thread(self._put, batch)
                    for _ in batch:
                        self._waiting.popleft()
            except (ClientError, BotoCoreError) as error:
                log.warning("the log %s is not in CloudWatch Logs for now: %s", self._names["logStreamName"], error)

    def _make(self) -> None:
        group = {"logGroupName": self._names["logGroupName"]}
        for create, names in ((self._client.create_log_group, group), (self._client.create_log_stream, self._names)):
            try:
                create(**names)
            except ClientError as error:
                if error_code(error) != "ResourceAlreadyExistsException":
                    raise
        self._made = True

    def _put(self, events: list[dict[str, Any]]) -> None:
        self._client.put_log_events(**self._names, logEvents=events)

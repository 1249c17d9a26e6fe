"""Writes the logs of functions every second, and keeps the newest lines of each log stream.

LocalStack 4.14 writes them at each invocation, by a request for each log stream, and three for a new one, and keeps
them all in memory.
"""

import logging
import time
from contextlib import suppress
from queue import Empty, Queue
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation import logs as lambda_logs
from moto.logs.models import logs_backends

LOG = logging.getLogger(__name__)
_LOG_SECONDS = 1.0
_MOST_ITEMS = 1000
_MOST_LINES = 1000


def install() -> None:
    """Replace ``LogHandler.run_log_loop``."""
    lambda_logs.LogHandler.run_log_loop = _write_logs


def _write_logs(handler: Any, *_: Any, **__: Any) -> None:
    """Write queued log items until LocalStack shuts down."""
    client = connect_to.with_assumed_role(
        region_name=handler.region, role_arn=handler.role_arn, service_principal="lambda"
    ).logs
    ended = False
    while not ended:
        items = _drained(handler.log_queue)
        ended = lambda_logs.QUEUE_SHUTDOWN in items or handler._shutdown_event.is_set()  # noqa: SLF001
        streams: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for item in items:
            if item is not lambda_logs.QUEUE_SHUTDOWN:
                events = streams.setdefault((item.log_group, item.log_stream), [])
                now = int(time.time() * 1000)
                events += [{"timestamp": now, "message": f"{line}\n"} for line in item.logs.split("\n") if line]
        for (group, stream), events in streams.items():
            try:
                _put(client, group, stream, events)
                _forget_oldest(handler, group, stream)
            except Exception:  # a log that is lost stops nothing
                LOG.exception("logs of %s were not saved", group)


def _drained(queue: "Queue[Any]") -> list[Any]:
    """Wait for an item, and for what comes in the next second."""
    items = [queue.get()]
    if items[0] is not lambda_logs.QUEUE_SHUTDOWN:
        time.sleep(_LOG_SECONDS)
    while len(items) < _MOST_ITEMS:
        try:
            items.append(queue.get_nowait())
        except Empty:
            break
    return items


def _forget_oldest(handler: Any, group: str, stream: str) -> None:
    backend = logs_backends[handler.role_arn.split(":")[4]][handler.region]
    del backend.groups[group].streams[stream].events[:-_MOST_LINES]


def _put(client: Any, group: str, stream: str, events: list[dict[str, Any]]) -> None:
    names = {"logGroupName": group, "logStreamName": stream}
    try:
        client.put_log_events(**names, logEvents=events)
    except client.exceptions.ResourceNotFoundException:
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=group)
        client.create_log_stream(**names)
        client.put_log_events(**names, logEvents=events)

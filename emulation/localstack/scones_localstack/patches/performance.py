"""What LocalStack does anew for every state of every execution, though once is enough."""

import logging
import time
from contextlib import suppress
from functools import lru_cache
from queue import Empty, Queue
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation import logs as lambda_logs
from localstack.services.stepfunctions.asl.utils import boto_client
from twisted.web import http

LOG = logging.getLogger(__name__)
_ROLE_SECONDS = 900
_LOG_SECONDS = 0.5
_MOST_ITEMS = 1000


class RememberedRoles:
    """Assumes a role once in a quarter of an hour; LocalStack does for each task, and makes a new client for it."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self._assumed = lru_cache(maxsize=64)(self._assume)

    def with_assumed_role(self, **wanted: Any) -> Any:
        """Return a factory of clients with the role's credentials."""
        return self._assumed(int(time.monotonic() // _ROLE_SECONDS), *wanted.items())

    def _assume(self, _period: int, *wanted: tuple[str, Any]) -> Any:
        return self._connector.with_assumed_role(**dict(wanted))


def _write_logs(handler: Any, *_: Any, **__: Any) -> None:
    """Write what functions log once in half a second a stream; LocalStack does at each invocation, by three requests.

    It takes the place of ``LogHandler.run_log_loop``.
    """
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
            except Exception:  # a log that is lost stops nothing
                LOG.exception("logs of %s were not saved", group)


def _drained(queue: "Queue[Any]") -> list[Any]:
    """Wait for an item, and for what comes in the next half second."""
    items = [queue.get()]
    if items[0] is not lambda_logs.QUEUE_SHUTDOWN:
        time.sleep(_LOG_SECONDS)
    while len(items) < _MOST_ITEMS:
        try:
            items.append(queue.get_nowait())
        except Empty:
            break
    return items


def _put(client: Any, group: str, stream: str, events: list[dict[str, Any]]) -> None:
    place = {"logGroupName": group, "logStreamName": stream}
    try:
        client.put_log_events(**place, logEvents=events)
    except client.exceptions.ResourceNotFoundException:
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=group)
        client.create_log_stream(**place)
        client.put_log_events(**place, logEvents=events)


def install() -> None:
    """Remember roles, write logs by the half second, and remember what a Content-Type header says.

    Twisted asks a parser of e-mails for that.
    """
    lambda_logs.LogHandler.run_log_loop = _write_logs
    boto_client.connect_to = RememberedRoles(boto_client.connect_to)
    http._parseContentType = lru_cache(maxsize=256)(http._parseContentType)  # noqa: SLF001

"""Passes the events of S3 and of Step Functions to EventBridge by a call.

LocalStack 4.14 sends itself a PutEvents by a client of botocore for each object that is written, and two for each
execution: 1.1 of the 1.6 ms of CPU time that an event took. A dataset of 1,200 images makes 1,200 of them.
"""

import calendar
import logging
from datetime import UTC, datetime
from typing import Any

from localstack.aws.api import RequestContext
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.services.s3.notifications import EventBridgeNotifier
from localstack.services.stepfunctions.backend.execution import Execution
from localstack.utils.xray.trace_header import TraceHeader

LOG = logging.getLogger(__name__)


class EventBus:
    """The default bus of an account and region, with the one operation of a client that is used."""

    def __init__(self, account_id: str, region_name: str) -> None:
        self._account_id = account_id
        self._region_name = region_name

    def put_events(self, Entries: list[Any]) -> Any:  # noqa: N803 - the name of the client's argument
        """Put events on the bus."""
        context = RequestContext(None)
        context.account_id, context.region = self._account_id, self._region_name
        context.trace_context = {"aws_trace_header": TraceHeader().ensure_root_exists()}
        return SERVICE_PLUGINS.require("events").lifecycle_hook.put_events(context, entries=Entries)


def install() -> None:
    """Replace the client in both services."""
    EventBridgeNotifier.notify = _notify
    Execution._get_events_client = lambda execution: EventBus(  # noqa: SLF001 - LocalStack has no other way in
        execution.account_id, execution.region_name
    )


def _notify(notifier: Any, event: Any, _configuration: Any) -> None:
    """Send the event of a bucket to the bus of the bucket's account and region."""
    entry = notifier._get_event_payload(event)  # noqa: SLF001 - what LocalStack would send
    # A request carries whole seconds.
    entry["Time"] = datetime.fromtimestamp(calendar.timegm(entry["Time"].timetuple()), UTC)
    try:
        EventBus(event.bucket_account_id, event.bucket_location).put_events(Entries=[entry])
    except Exception:  # an event that is lost stops nothing
        LOG.exception("an event of bucket %s was not sent", event.bucket_name)

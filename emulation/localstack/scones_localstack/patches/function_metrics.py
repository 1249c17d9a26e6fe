"""Writes the metrics of Lambda functions once a second.

LocalStack 4.14 starts a thread for each invocation, which sends itself a PutMetricData, which queues for a
database to commit one row: in a batch of 200 images a fifth of its CPU time and, on a busy disk, seconds of waiting.
"""

import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation import version_manager

LOG = logging.getLogger(__name__)
_SECONDS = 1.0
_MOST_METRICS = 500


class MetricWriter:
    """Counts what happens in a second, and writes the counts in the second after that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str, str, int]] = Counter()
        self._writer: threading.Thread | None = None

    def count(self, metrics: tuple[str, ...], function_name: str, account_id: str, region_name: str) -> None:
        """Count an invocation of a function in each of ``metrics``."""
        with self._lock:
            for metric in metrics:
                self._counts[account_id, region_name, function_name, metric, int(time.time())] += 1
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="function-metrics", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        """Write until nothing has been counted for a second."""
        while True:
            time.sleep(_SECONDS)
            with self._lock:
                counts, self._counts = self._counts, Counter()
                if not counts:
                    self._writer = None
                    return
            by_account: dict[tuple[str, str], list[dict[str, Any]]] = {}
            for (account, region, function, metric, second), count in counts.items():
                by_account.setdefault((account, region), []).append(_datum(function, metric, second, count))
            for (account, region), data in by_account.items():
                _put(account, region, data)


def _datum(function_name: str, metric: str, second: int, count: int) -> dict[str, Any]:
    """Return as many single values as were counted."""
    return {
        "MetricName": metric,
        "Dimensions": [{"Name": "FunctionName", "Value": function_name}],
        "Timestamp": datetime.fromtimestamp(second, UTC),
        "Values": [1],
        "Counts": [count],
    }


def _put(account_id: str, region_name: str, data: list[dict[str, Any]]) -> None:
    client = connect_to(aws_access_key_id=account_id, region_name=region_name).cloudwatch
    for start in range(0, len(data), _MOST_METRICS):
        try:
            client.put_metric_data(Namespace="AWS/Lambda", MetricData=data[start : start + _MOST_METRICS])
        except Exception:  # a metric that is lost stops nothing
            LOG.exception("metrics of Lambda functions were not saved")


def install() -> None:
    """Count invocations where LocalStack sends metrics, without a thread for each."""
    writer = MetricWriter()
    version_manager.record_cw_metric_invocation = partial(writer.count, ("Invocations",))
    version_manager.record_cw_metric_error = partial(writer.count, ("Invocations", "Errors"))
    start_thread = version_manager.start_thread

    def start_or_call(method: Any, *values: Any, name: str | None = None, **named: Any) -> Any:
        if name is not None and name.startswith("record-cloudwatch-metric"):
            return method()
        return start_thread(method, *values, name=name, **named)

    version_manager.start_thread = start_or_call

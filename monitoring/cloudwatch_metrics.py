"""CloudWatch metrics: publishes monitoring results, and reads the latency that SageMaker measures."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from monitoring.drift import DriftReport, Verdict
from monitoring.timeline import Timeline

NAMESPACE = "Scones"
_LEVELS = {Verdict.STABLE: 0, Verdict.WATCH: 1, Verdict.DRIFTED: 2}
_PERIOD = 3600
_PER_MILLISECOND = 1000


@dataclass(frozen=True)
class Latency:
    """Mean and maximum model latency over a time range, in milliseconds, or None if not measured."""

    mean: float | None
    worst: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return plain JSON values."""
        return asdict(self)


def publish(cloudwatch: Any, endpoint: str, report: DriftReport, timeline: Timeline, at: datetime) -> int:
    """Publish metrics in the namespace Scones with the dimension EndpointName, and return their number.

    ``Drift`` is 0 stable, 1 watch, 2 drifted, and missing where the verdict is unknown: an alarm decides how to treat
    missing data. ``DriftSignal`` has the dimension Signal as well.
    """
    own = [{"Name": "EndpointName", "Value": endpoint}]
    values: list[tuple[str, float, str]] = [("Inferences", report.n, "Count")]
    if timeline.n:
        mean = sum(each.mean * each.n for each in timeline.bins if each.mean is not None) / timeline.n
        below = sum(each.share_below * each.n for each in timeline.bins if each.share_below is not None) / timeline.n
        values += [("MeanConfidence", mean, "None"), ("ShareBelowThreshold", 100 * below, "Percent")]
    if report.estimated_accuracy is not None:
        values.append(("EstimatedAccuracy", 100 * report.estimated_accuracy.value, "Percent"))
    if report.verdict in _LEVELS:
        values.append(("Drift", _LEVELS[report.verdict], "None"))
    data = [
        {"MetricName": name, "Dimensions": own, "Timestamp": at, "Value": float(value), "Unit": unit}
        for name, value, unit in values
    ]
    for signal in report.signals:
        dimensions = [*own, {"Name": "Signal", "Value": signal.name}]
        data.append(
            {
                "MetricName": "DriftSignal",
                "Dimensions": dimensions,
                "Timestamp": at,
                "Value": signal.statistic,
                "Unit": "None",
            }
        )
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
    return len(data)


def latency(cloudwatch: Any, endpoint: str, variant: str, since: datetime, until: datetime) -> Latency:
    """Return SageMaker's metric ModelLatency (AWS/SageMaker, microseconds), which captured records do not contain."""
    datapoints = cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=since,
        EndTime=until,
        Period=max(_PERIOD, -(-int((until - since).total_seconds()) // 1440) // 60 * 60 + 60),
        Statistics=["Sum", "SampleCount", "Maximum"],
    )["Datapoints"]
    count = sum(point["SampleCount"] for point in datapoints)
    if not count:
        return Latency(None, None)
    mean = sum(point["Sum"] for point in datapoints) / count
    return Latency(mean / _PER_MILLISECOND, max(point["Maximum"] for point in datapoints) / _PER_MILLISECOND)

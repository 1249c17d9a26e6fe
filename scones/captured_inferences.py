"""Reads what an endpoint captured in a time range, and compares it with the baseline of its model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from core.labels import VEHICLES, Labels
from core.predictions import DEFAULT_THRESHOLD
from core.s3_uris import S3Uri, is_s3_uri
from monitoring import capture, cloudwatch_metrics, drift
from monitoring.baseline import Baseline
from monitoring.drift import DriftReport
from monitoring.timeline import Timeline
from monitoring.window import InferenceWindow
from orchestration.errors import StackNotFound
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones import console, model_baseline
from scones.errors import CapturesMissing, EndpointWithoutCaptures
from scones.model_serving import CAPTURE_PREFIX
from scones.settings import Settings
from scones.time_ranges import TimeRange
from training.errors import is_missing


@dataclass(frozen=True)
class MonitoringResult:
    """What the captures of a time range say of an endpoint."""

    endpoint: str
    time_range: TimeRange
    window: InferenceWindow
    labels: Labels
    drift: DriftReport
    timeline: Timeline
    capture: capture.CaptureCounts
    latency: cloudwatch_metrics.Latency

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "endpoint": self.endpoint,
            "since": self.time_range.since.isoformat(),
            "until": self.time_range.until.isoformat() if self.time_range.until else None,
            "drift": self.drift.to_dict(),
            "timeline": self.timeline.to_dict(),
            "latency_ms": self.latency.to_dict(),
            "capture": self.capture.to_dict(),
            "notes": [*self.drift.notes, *self.capture.sentences()],
        }


def monitor_endpoint(
    session: boto3.Session,
    settings: Settings,
    time_range: TimeRange,
    *,
    endpoint: str | None = None,
    baseline: Path | None = None,
    threshold: float | None = None,
) -> MonitoringResult:
    """Read the captures of a time range and judge them; ``baseline`` is the file to compare with, if one was specified.

    Raises StackNotFound, CaptureOff, EndpointWithoutCaptures, BaselineNotFound or UnreadableBaseline.
    """
    outputs = _outputs(session, settings, required=endpoint is None)
    name = endpoint or (outputs.endpoint_name if outputs else settings.default_endpoint_name)
    location = capture_location(session, name, outputs)
    labels = outputs.labels if outputs else VEHICLES
    minimum = threshold or (outputs.threshold if outputs else DEFAULT_THRESHOLD)
    reference = model_baseline.find(session, name, baseline)
    reading = capture.CaptureReader(session.client("s3"), location, time_range.since, time_range.until)
    window = InferenceWindow.of(reading)
    if not len(window) and not location.endpoint_exists:
        raise EndpointWithoutCaptures(name, str(time_range))
    until = time_range.until or datetime.now(UTC)
    cloudwatch = session.client("cloudwatch")
    latency = cloudwatch_metrics.latency(cloudwatch, name, location.variant, time_range.since, until)
    report = drift.compare(window, reference, minimum, labels)
    if location.configured and len(window) and window.times.min() < location.configured.timestamp():
        report = replace(report, notes=(*report.notes, _of_another_model(location.configured)))
    return MonitoringResult(
        name, time_range, window, labels, report, Timeline.of(window, minimum), reading.counts, latency
    )


def monitor_captures(
    open_s3: Callable[[], Any],
    source: str,
    time_range: TimeRange,
    *,
    baseline: Path | None = None,
    threshold: float | None = None,
    labels: Labels | None = None,
) -> MonitoringResult:
    """Do the same with the captures in a folder, or below an S3 prefix, of any endpoint; nothing of the stack is read.

    Raises CapturesMissing, BaselineNotFound, UnreadableBaseline or InvalidS3Uri.
    """
    if is_s3_uri(source):
        uri = S3Uri.parse(source)
        client, location = open_s3(), capture.CaptureLocation(uri.bucket, uri.key)
    elif Path(source).is_dir():
        client, location = capture.CaptureFolder(Path(source)), capture.CaptureLocation("", "")
    else:
        raise CapturesMissing(source)
    reference = Baseline.read(baseline) if baseline else None
    reading = capture.CaptureReader(client, location, time_range.since, time_range.until)
    window = InferenceWindow.of(reading)
    minimum, names = threshold or DEFAULT_THRESHOLD, labels or VEHICLES
    return MonitoringResult(
        source, time_range, window, names, drift.compare(window, reference, minimum, names),
        Timeline.of(window, minimum), reading.counts, cloudwatch_metrics.Latency(None, None),
    )  # fmt: skip


def capture_location(session: boto3.Session, endpoint: str, outputs: StackOutputs | None) -> capture.CaptureLocation:
    """Return where the endpoint captures to; the captures of one that was deleted are in the stack's bucket."""
    try:
        return capture.capture_location(session.client("sagemaker"), endpoint)
    except ClientError as error:
        if outputs is None or not is_missing(error):
            raise
        console.note(f"endpoint {endpoint} does not exist; reading its captures in s3://{outputs.data_bucket}")
        return capture.CaptureLocation(outputs.data_bucket, CAPTURE_PREFIX, endpoint, endpoint_exists=False)


def _of_another_model(configured: datetime) -> str:
    return (
        f"the endpoint's configuration is of {configured:%Y-%m-%d %H:%M:%S} UTC: inferences before that may be another "
        f"model's, and `--from {configured:%Y-%m-%dT%H:%M:%S}` leaves them out"
    )


def _outputs(session: boto3.Session, settings: Settings, *, required: bool) -> StackOutputs | None:
    try:
        return read_stack_outputs(session.client("cloudformation"), settings.stack)
    except StackNotFound:
        if required:
            raise
        return None

"""Gathers what the report shows: images, captures, settings and versions."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import boto3

from core.defaults import REVIEW_PORT
from monitoring.drift import DriftReport
from monitoring.errors import CaptureOff
from monitoring.report import Content, ReportedImage
from monitoring.timeline import Timeline
from orchestration.stack_outputs import StackOutputs
from scones import __version__
from scones.captured_inferences import monitor_endpoint
from scones.errors import EndpointWithoutCaptures
from scones.settings import Settings
from scones.time_ranges import TimeRange

_PACKAGES = ("boto3", "matplotlib", "numpy", "onnxruntime", "pillow", "sagemaker-core", "scipy")


def gather(
    session: boto3.Session,
    settings: Settings,
    outputs: StackOutputs,
    title: str,
    images: Sequence[ReportedImage],
    time_range: TimeRange,
    baseline: Path | None = None,
) -> Content:
    """Return what the report shows of these images, and of all that was captured in a time range."""
    timeline, drift, notes = _captures(session, settings, outputs, time_range, baseline)
    return Content(
        title=f"Scones: {title}",
        made=datetime.now(UTC),
        threshold=outputs.threshold,
        images=images,
        labels=outputs.labels,
        timeline=timeline,
        drift=drift,
        notes=notes,
        settings=report_settings(settings, outputs),
        versions=versions(),
        review_url=f"http://127.0.0.1:{REVIEW_PORT}/",
    )


def _captures(
    session: boto3.Session, settings: Settings, outputs: StackOutputs, time_range: TimeRange, baseline: Path | None
) -> tuple[Timeline, DriftReport | None, list[str]]:
    """Read confidence over time, drift, and notes on what was skipped; without captures the timeline says why."""
    try:
        result = monitor_endpoint(session, settings, time_range, baseline=baseline)
    except (CaptureOff, EndpointWithoutCaptures) as error:
        return Timeline.empty(outputs.threshold, str(error)), None, []
    return result.timeline, result.drift, result.capture.sentences()


def report_settings(settings: Settings, outputs: StackOutputs) -> Mapping[str, str]:
    """Return the settings that the report shows."""
    return {
        "target": str(settings.target),
        "region": outputs.state_machine_arn.split(":")[3],
        "stack": settings.stack,
        "endpoint": outputs.endpoint_name,
        "labels": ", ".join(outputs.labels),
        "threshold": f"{outputs.threshold:g}",
        "state machine": outputs.state_machine_arn,
        "data bucket": outputs.data_bucket,
        "review queue": outputs.review_queue_url.rsplit("/", 1)[-1],
        "failure queue": outputs.failure_queue_url.rsplit("/", 1)[-1],
    }


def versions() -> Mapping[str, str]:
    """Return the versions of the software behind the report and the predictions."""
    return {
        "scones": __version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in _PACKAGES},
    }

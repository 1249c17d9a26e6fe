"""The demo: images through the whole pipeline, and what came of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from core import queues
from core.defaults import ENDPOINT_INSTANCE_TYPE
from core.waiting import WaiterConfig
from monitoring import capture
from monitoring.report import Content
from monitoring.report.page import write as write_page
from orchestration import executions
from orchestration.executions import Outcome, S3Image
from orchestration.stack_outputs import StackOutputs
from scones import console, demo_summary, recent_executions, report_content, staged_datasets
from scones.demo_summary import DemoSummary
from scones.images_of_neither import render_one
from scones.model_serving import CAPTURE_PREFIX, deploy_endpoint
from scones.recent_executions import ExecutionHistory
from scones.settings import Settings
from scones.stack_revisions import StackRevisions
from scones.stopwatch import Stopwatch
from scones.time_ranges import TimeRange
from training.data.synthetic import Kind
from training.vehicle_net.package import SHIPPED

_CAPTURE_WAITER = WaiterConfig(timeout_seconds=600, poll_seconds=0.5)
_SAME_IMAGES = "the shipped baseline was created from the same test images, so they cannot differ from it"
_OF_NEITHER: dict[Kind, int] = {"car": 3, "scene": 2}


@dataclass(frozen=True)
class DemoOptions:
    """How many images, how many executions at once, and whether images are rendered."""

    images: int
    concurrency: int
    synthetic: bool


@dataclass(frozen=True)
class DemoResult:
    """The figures of the summary, and what the report shows."""

    figures: Mapping[str, Any]
    content: Content

    def write_page(self, out: Path) -> Path:
        """Write report.html and its plots, and return the page's path."""
        return write_page(self.content, out, "report").page

    def summary(self, seconds: Mapping[str, float], files: Mapping[str, str]) -> DemoSummary:
        """Return the summary of a demo that took so long and wrote these files."""
        return DemoSummary(**self.figures, seconds=seconds, files=files)


def run(session: boto3.Session, settings: Settings, watch: Stopwatch, options: DemoOptions) -> DemoResult:
    """Deploy, stage, serve, classify and count."""
    with watch.step("deploy"), console.progress("deploying the stack"):
        outputs = StackOutputs.parse(StackRevisions(session, settings).deploy({}).outputs)
    with watch.step("stage"), console.progress("staging") as advance:
        source = staged_datasets.choose_source(settings, advance, synthetic=options.synthetic, labels=outputs.labels)
        dataset = staged_datasets.upload_dataset(source, session, settings, outputs.data_bucket, advance)
    with watch.step("endpoint"), console.progress("creating the endpoint"):
        deploy_endpoint(session, outputs, instance_type=ENDPOINT_INSTANCE_TYPE)
    queued = _QueueCounts(session, outputs)
    since, s3, bucket = datetime.now(UTC), session.client("s3"), outputs.data_bucket
    run_name = f"demo-{since:%Y%m%dT%H%M%S}"
    with watch.step("run"), console.progress("classifying") as advance:
        keys = staged_datasets.sample(sorted(dataset.labels), dataset.labels.get, options.images)
        images = [S3Image(bucket, key) for key in keys]
        of_neither = _upload_images_of_neither(s3, bucket, f"runs/{run_name}")
        images += of_neither + _upload_invalid(s3, bucket, f"runs/{run_name}", images[0])
        outcomes = _classify(session, outputs, images, run_name, options.concurrency, advance)
        arns = [outcome.execution_arn for outcome in outcomes]
        histories = recent_executions.read_histories(session.client("stepfunctions"), arns)
    inferences = _inferences(histories)
    labelled = demo_summary.labelled_predictions(outcomes, dataset.labels, inferences)
    location = capture.CaptureLocation(bucket, CAPTURE_PREFIX, outputs.endpoint_name)
    with watch.step("capture"), console.progress("waiting for captured inferences"):
        captured = capture.wait_for_captures(s3, location, since, len(inferences), _CAPTURE_WAITER)
    counts = {"dataset": dataset.name, "captured": captured, "predictions": len(inferences), **queued.since()}
    figures = counts | demo_summary.figures(outcomes, labelled, outputs.threshold, of_neither)
    title = f"{options.images} held-out test images of {dataset.name}"
    content = _report(session, settings, outputs, title, outcomes, histories, dataset, TimeRange(since))
    return DemoResult(figures, content)


def _classify(
    session: boto3.Session,
    outputs: StackOutputs,
    images: list[S3Image],
    run_name: str,
    concurrency: int,
    advance: console.Advance,
) -> list[Outcome]:
    """Run an execution for each image, and return the outcomes in the same order."""
    done = iter(range(1, len(images) + 1))
    return executions.run(
        session.client("stepfunctions"),
        outputs.state_machine_arn,
        images,
        run_name=run_name,
        concurrency=concurrency,
        on_outcome=lambda _: advance(next(done), len(images)),
    )


def _inferences(histories: Mapping[str, ExecutionHistory]) -> dict[str, tuple[float, float]]:
    """Return the predictions below the threshold, too: their executions fail and so have no output."""
    return {arn: history.inferences for arn, history in histories.items() if history.inferences is not None}


def _report(
    session: boto3.Session,
    settings: Settings,
    outputs: StackOutputs,
    title: str,
    outcomes: list[Outcome],
    histories: Mapping[str, ExecutionHistory],
    dataset: staged_datasets.UploadedDataset,
    time_range: TimeRange,
) -> Content:
    read_image = recent_executions.image_reader(session.client("s3"), settings.datasets)
    images = recent_executions.reported(outcomes, histories, dataset.labels, read_image)
    baseline = _baseline(dataset.name)
    content = report_content.gather(session, settings, outputs, title, images, time_range, baseline)
    return content if baseline else replace(content, notes=[*content.notes, _SAME_IMAGES])


def _baseline(dataset: str) -> Path | None:
    """Return the baseline of rendered vehicles, which differ from photographs, or None if the model's own applies."""
    path = SHIPPED / f"baseline-{dataset}.json"
    return path if path.is_file() else None


class _QueueCounts:
    """How many messages each queue has received since this was created: a stack that was kept has older ones."""

    def __init__(self, session: boto3.Session, outputs: StackOutputs) -> None:
        self._sqs = session.client("sqs")
        self._urls = {"review_queue": outputs.review_queue_url, "failure_queue": outputs.failure_queue_url}
        self._before = self._count()

    def since(self) -> dict[str, int]:
        return {name: count - self._before[name] for name, count in self._count().items()}

    def _count(self) -> dict[str, int]:
        return {name: queues.length(self._sqs, url) for name, url in self._urls.items()}


def _upload_images_of_neither(s3: Any, bucket: str, prefix: str) -> list[S3Image]:
    """Render and upload five images that show neither a bicycle nor a motorcycle, and return them."""
    bodies = {
        f"{prefix}/neither/{kind}-{number}.png": render_one(kind, number)
        for kind, count in _OF_NEITHER.items()
        for number in range(count)
    }
    return _upload(s3, bucket, bodies)


def _upload_invalid(s3: Any, bucket: str, prefix: str, image: S3Image) -> list[S3Image]:
    """Upload three objects that are not images, one of them half of ``image``; return them and a key without object."""
    content = s3.get_object(Bucket=image.s3_bucket, Key=image.s3_key)["Body"].read()
    bodies = {"corrupt.png": content[: len(content) // 2], "text.png": b"not an image\n", "empty.png": b""}
    invalid = _upload(s3, bucket, {f"{prefix}/{name}": body for name, body in bodies.items()})
    return [*invalid, S3Image(bucket, f"{prefix}/missing.png")]


def _upload(s3: Any, bucket: str, bodies: dict[str, bytes]) -> list[S3Image]:
    for key, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    return [S3Image(bucket, key) for key in bodies]

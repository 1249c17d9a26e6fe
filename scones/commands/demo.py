"""`scones demo`: pictures through the whole pipeline, then one screen of what came of it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer

from core.waiting import WaiterConfig
from emulation.processes import background
from emulation.processes.environment_state import EnvironmentState
from emulation.session import OfflineSession
from monitoring import capture
from orchestration import executions, queues
from orchestration.executions import Image, Outcome
from scones import console, demo_summary, options, pipeline, recent_executions
from scones.commands import monitor, report, stage, up
from scones.sampling import sample
from scones.settings import Settings

if TYPE_CHECKING:
    from monitoring.report import Content

CAPTURE_PATIENCE = 60.0
_SAME_IMAGES = (
    "the shipped baseline holds the network's answers for these very test images, so nothing can have drifted here"
)


class Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step and say when it is done."""
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 2)
        console.err.print(f"[green]✓[/] {name} [dim]{self.seconds[name]:.1f} s[/]")


def demo(
    images: Annotated[int, typer.Option("--images", min=2, max=10_000, help="How many held-out test images.")] = 100,
    archive: options.ArchiveOption = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Rendered vehicles even where CIFAR-100 is at hand.")
    ] = False,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Executions under way at once.")] = 4,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running; `scones down` ends it.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for summary.json, report.html and the plots.")] = Path(
        "out"
    ),
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Take held-out test images, and four broken ones, through the whole pipeline, and report what came of it.

    Runs on this machine alone. Exit code 1 when an image is not accounted for.
    """
    settings = options.settings(None, None, home, archive)
    watch = Stopwatch()
    with watch.step("total"), _running(settings, watch, keep=keep) as state:
        session = OfflineSession(state.localstack_url, state.sagemaker_url, settings.region)
        found, content = _pipeline(session, settings, watch, images, concurrency, synthetic=synthetic)
        with watch.step("report"), console.progress("drawing"):
            written = report.write(content, out)
    result = demo_summary.Summary(
        **found,
        seconds=watch.seconds,
        where={
            "summary": str(out / "summary.json"),
            "logs": str(state.logs),
            "staged images": str(settings.home / "data"),
            "report": str(written.page),
        },
    )
    result.write(out / "summary.json")
    if as_json:
        console.print_json(result.to_dict())
    else:
        console.out.print(demo_summary.render(result, content.threshold))
        console.out.print(str(written.page), soft_wrap=True, highlight=False)
    if not result.is_accounted_for:
        raise typer.Exit(1)


def _pipeline(
    session: boto3.Session, settings: Settings, watch: Stopwatch, count: int, concurrency: int, *, synthetic: bool
) -> "tuple[dict[str, Any], Content]":
    """Deploy, stage, serve, run and count; return the summary's figures and what the report is to say."""
    with watch.step("deploy"), console.progress("deploying the stack"):
        pipeline.deploy_stack(session, settings, {})
        deployed = pipeline.deployed(session, settings)
    with watch.step("stage"), console.progress("staging") as advance:
        source = pipeline.choose_source(settings, advance, synthetic=synthetic, labels=deployed.labels)
        dataset = pipeline.stage(source, session, settings, deployed.data_bucket, advance)
    with watch.step("endpoint"), console.progress("creating the endpoint"):
        pipeline.deploy_endpoint(session, deployed, image_uri=stage.LOCAL_IMAGE, instance_type="ml.m5.xlarge")
    queued = _QueueCounts(session, deployed)
    since = datetime.now(UTC)
    run_name = f"demo-{since:%Y%m%dT%H%M%S}"
    inputs = [Image(deployed.data_bucket, key) for key in sample(sorted(dataset.labels), dataset.labels, count)]
    with watch.step("run"), console.progress("classifying") as advance:
        inputs += _broken(session.client("s3"), deployed.data_bucket, run_name, inputs[0])
        outcomes = _run(session, deployed, inputs, run_name, concurrency, advance)
        inspected = recent_executions.inspect_all(
            session.client("stepfunctions"), [each.execution_arn for each in outcomes]
        )
    labelled = demo_summary.answers(outcomes, dataset.labels, _reviewed(inspected))
    location = capture.CaptureLocation(deployed.data_bucket, pipeline.CAPTURE_PREFIX, deployed.endpoint_name)
    with watch.step("capture"), console.progress("waiting for captured inferences"):
        captured = capture.wait_for_captures(
            session.client("s3"),
            location,
            since,
            len(labelled),
            WaiterConfig(timeout_seconds=CAPTURE_PATIENCE, poll_seconds=0.5),
        )
    counts = {"dataset": dataset.name, "captured": captured, "answered": len(labelled), **queued.since()}
    images = recent_executions.reported(
        outcomes, inspected, dataset.labels, recent_executions.reader(session.client("s3"), settings.home / "data")
    )
    title = f"{count} held-out test images of {dataset.name}"
    baseline = _baseline(dataset.name)
    content = report.content(session, settings, deployed, title, images, monitor.Span(since), baseline)
    if baseline is None:
        content = replace(content, notes=[*content.notes, _SAME_IMAGES])
    return counts | demo_summary.figures(outcomes, labelled, deployed.threshold), content


def _baseline(dataset: str) -> Path | None:
    """Rendered vehicles have a baseline of their own: beside photographs they would be drift."""
    path = pipeline.SHIPPED_MODEL / f"baseline-{dataset}.json"
    return path if path.is_file() else None


@contextmanager
def _running(settings: Settings, watch: Stopwatch, *, keep: bool) -> Iterator[EnvironmentState]:
    """A stack that runs already is used and left; else one is started, and stopped unless it is to be kept."""
    threading.Thread(target=_import_early, daemon=True).start()
    running = background.status(settings.home).state
    if running is not None:
        yield running
    elif keep:
        with watch.step("up"):
            state = up.start_background(settings)
        yield state
        console.err.print("everything is left running: `scones status` shows where, `scones down` ends it")
    else:
        stack = up.stack(settings)
        with watch.step("up"):
            state = stack.start()
        try:
            yield state
        finally:
            stack.stop()


def _import_early() -> None:
    """Some libraries take seconds to import: do it while LocalStack starts."""
    import matplotlib.backends.backend_agg  # noqa: PLC0415
    import matplotlib.backends.backend_svg  # noqa: PLC0415
    import matplotlib.dates  # noqa: PLC0415
    import matplotlib.figure  # noqa: F401, PLC0415
    import sagemaker.core.resources  # noqa: F401, PLC0415
    import scipy.stats  # noqa: F401, PLC0415


def _broken(s3: Any, bucket: str, run_name: str, good: Image) -> list[Image]:
    """Put three objects that are no images beside one key that has no object."""
    content = s3.get_object(Bucket=good.s3_bucket, Key=good.s3_key)["Body"].read()
    bodies = {"corrupt.png": content[: len(content) // 2], "text.png": b"not a picture\n", "empty.png": b""}
    for name, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=f"runs/{run_name}/{name}", Body=body)
    return [Image(bucket, f"runs/{run_name}/{name}") for name in (*bodies, "missing.png")]


def _run(
    session: boto3.Session,
    deployed: pipeline.Deployed,
    inputs: list[Image],
    run_name: str,
    concurrency: int,
    advance: Callable[[int, int], None],
) -> list[Outcome]:
    done = iter(range(1, len(inputs) + 1))
    return executions.run(
        session.client("stepfunctions"),
        deployed.state_machine_arn,
        inputs,
        run_name=run_name,
        concurrency=concurrency,
        on_outcome=lambda _: advance(next(done), len(inputs)),
    )


def _reviewed(inspected: dict[str, recent_executions.Inspected]) -> dict[str, tuple[float, float]]:
    """What the endpoint said of the images below the threshold: their executions fail and so have no output."""
    return {arn: each.inferences for arn, each in inspected.items() if each.inferences is not None}


class _QueueCounts:
    """How many messages came since this was made; a stack that was kept has older ones."""

    def __init__(self, session: boto3.Session, deployed: pipeline.Deployed) -> None:
        self._sqs = session.client("sqs")
        self._urls = {"review_queue": deployed.review_queue_url, "failure_queue": deployed.failure_queue_url}
        self._before = self._count()

    def since(self) -> dict[str, int]:
        return {name: count - self._before[name] for name, count in self._count().items()}

    def _count(self) -> dict[str, int]:
        return {name: queues.length(self._sqs, url) for name, url in self._urls.items()}

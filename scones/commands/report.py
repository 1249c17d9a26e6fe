"""`scones report`: one page on what the workflow and the endpoint did lately."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import boto3
import typer

from monitoring.errors import CaptureOff
from monitoring.timeline import Timeline
from scones import __version__, aws, console, options, pipeline, recent_executions
from scones.commands import monitor
from scones.errors import EndpointGone
from scones.settings import Settings

if TYPE_CHECKING:
    from monitoring.drift import DriftReport
    from monitoring.report import Content, ReportedImage
    from monitoring.report.page import WrittenReport

_PACKAGES = ("boto3", "matplotlib", "numpy", "onnxruntime", "pillow", "sagemaker-core", "scipy")


def report(  # noqa: PLR0913, PLR0917 - each is an option
    since: monitor.SinceOption = None,
    begin: monitor.FromOption = None,
    end: monitor.ToOption = None,
    executions: Annotated[int, typer.Option("--executions", min=0, help="How many of the newest executions.")] = 200,
    baseline: monitor.BaselineOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for report.html and its plots.")] = Path("out"),
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write one HTML file on what was classified lately, with its plots as PNG and SVG beside it.

    Example: `scones report --since 2h --out out`
    """
    settings = options.settings(target, stack_name, home)
    span = monitor.span_of(since, begin, end, datetime.now(UTC))
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    stepfunctions, s3 = session.client("stepfunctions"), session.client("s3")
    with console.progress("reading executions") as advance:
        machine = deployed.state_machine_arn
        outcomes = recent_executions.recent(stepfunctions, machine, executions) if executions else []
        inspected = recent_executions.inspect_all(stepfunctions, [each.execution_arn for each in outcomes], advance)
        labels = staged_labels(settings.home / "data")
        reader = recent_executions.reader(s3, settings.home / "data")
        images = recent_executions.reported(outcomes, inspected, labels, reader)
    with console.progress("reading captured inferences"):
        title = f"{settings.stack} on {settings.target}"
        said = content(session, settings, deployed, title, images, span, baseline)
    with console.progress("drawing"):
        written = write(said, out)
    if as_json:
        console.print_json({"report": str(written.page), "plots": [str(file) for file in written.files]})
    else:
        console.out.print(str(written.page), soft_wrap=True)


def content(
    session: boto3.Session,
    settings: Settings,
    deployed: pipeline.Deployed,
    title: str,
    images: "Sequence[ReportedImage]",
    span: monitor.Span,
    baseline: Path | None = None,
) -> "Content":
    """Gather what the report says of these images, and of all that was captured in a time range."""
    from monitoring.report import Content  # noqa: PLC0415 - Jinja is not for every command

    timeline, drift, notes = _captured(session, settings, deployed, span, baseline)
    return Content(
        title=f"Scones: {title}",
        made=datetime.now(UTC),
        threshold=deployed.threshold,
        images=images,
        labels=deployed.labels,
        timeline=timeline,
        drift=drift,
        notes=notes,
        settings=facts(settings, deployed),
        versions=versions(),
    )


def _captured(
    session: boto3.Session, settings: Settings, deployed: pipeline.Deployed, span: monitor.Span, baseline: Path | None
) -> "tuple[Timeline, DriftReport | None, list[str]]":
    """Read confidence over time, drift, and sentences on what was left out; where there is nothing, it says why."""
    try:
        found = monitor.look(session, settings, span, baseline=baseline)
    except (CaptureOff, EndpointGone) as error:
        return Timeline.empty(deployed.threshold, str(error)), None, []
    return found.timeline, found.drift, found.capture.sentences()


def write(content: "Content", folder: Path, name: str = "report") -> "WrittenReport":
    """Write the page and its plots; drawing is imported only here, because it takes a second."""
    from monitoring.report.page import write as write_page  # noqa: PLC0415

    return write_page(content, folder, name)


def staged_labels(folder: Path) -> dict[str, int]:
    """Return the label of every staged image, of both splits, by its key in S3."""
    from training.data.dataset_manifest import MANIFEST, read_manifest  # noqa: PLC0415
    from training.data.errors import DataError  # noqa: PLC0415
    from training.data.labelled_images import SPLITS  # noqa: PLC0415

    labels = {}
    for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
        try:
            found = read_manifest(manifest.parent)
        except DataError:
            continue
        for split in SPLITS:
            for path, file in found.images(split).items():
                if file.label is not None:
                    labels[f"datasets/{manifest.parent.name}/{path}"] = file.label
    return labels


def facts(settings: Settings, deployed: pipeline.Deployed) -> Mapping[str, str]:
    """Return the settings that a reader of the report may want to know."""
    return {
        "target": str(settings.target),
        "region": settings.region,
        "stack": settings.stack,
        "endpoint": deployed.endpoint_name,
        "labels": ", ".join(deployed.labels),
        "threshold": f"{deployed.threshold:g}",
        "state machine": deployed.state_machine_arn,
        "data bucket": deployed.data_bucket,
        "review queue": deployed.review_queue_url.rsplit("/", 1)[-1],
        "failure queue": deployed.failure_queue_url.rsplit("/", 1)[-1],
    }


def versions() -> Mapping[str, str]:
    """Return the versions of what made the report and the answers."""
    return {
        "scones": __version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in _PACKAGES},
    }

"""`scones monitor`: is the endpoint still seeing what its model was made for?"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import ClientError
from rich.table import Table

from core.labels import VEHICLES, Labels
from monitoring import capture, cloudwatch_metrics, drift
from monitoring.drift import DriftReport, Verdict
from monitoring.timeline import Timeline
from monitoring.window import InferenceWindow
from orchestration.errors import StackMissing
from scones import aws, console, model_baseline, options, pipeline
from scones.errors import EndpointGone
from scones.settings import Settings

DEFAULT_THRESHOLD = 0.94
EXIT_CODES = {Verdict.UNKNOWN: 0, Verdict.STABLE: 0, Verdict.WATCH: 3, Verdict.DRIFTED: 4}
_COLOURS = {Verdict.UNKNOWN: "dim", Verdict.STABLE: "green", Verdict.WATCH: "yellow", Verdict.DRIFTED: "red"}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

SinceOption = Annotated[
    str | None, typer.Option("--since", help="How far to look back: 90s, 30m, 24h, 7d [default: 24h].", metavar="SPAN")
]
FromOption = Annotated[
    str | None, typer.Option("--from", help="Beginning, ISO 8601; UTC unless it says otherwise.", metavar="TIME")
]
ToOption = Annotated[str | None, typer.Option("--to", help="End, ISO 8601 [default: now].", metavar="TIME")]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint", help="Another endpoint than the stack's.", metavar="NAME")
]

BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        help="What to compare with [default: baseline.json beside the endpoint's model]; `scones baseline` makes one.",
    ),
]


@dataclass(frozen=True)
class Span:
    """A time range in UTC; ``until`` None is now, and what a clock that is ahead dated later."""

    since: datetime
    until: datetime | None = None

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S} to {f'{self.until:%Y-%m-%d %H:%M:%S}' if self.until else 'now'} UTC"


@dataclass(frozen=True)
class Look:
    """What a look at the captures found."""

    endpoint: str
    span: Span
    window: InferenceWindow
    labels: Labels
    drift: DriftReport
    timeline: Timeline
    capture: capture.CaptureReport
    latency: cloudwatch_metrics.Latency

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "endpoint": self.endpoint,
            "since": self.span.since.isoformat(),
            "until": self.span.until.isoformat() if self.span.until else None,
            "drift": self.drift.to_dict(),
            "timeline": self.timeline.to_dict(),
            "latency_ms": self.latency.to_dict(),
            "capture": self.capture.to_dict(),
            "notes": [*self.drift.notes, *self.capture.sentences()],
        }


def monitor(  # noqa: PLR0913, PLR0917 - each is an option
    since: SinceOption = None,
    begin: FromOption = None,
    end: ToOption = None,
    endpoint: EndpointOption = None,
    baseline: BaselineOption = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0.5, max=1, help="Least confidence [default: the stack's].")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for monitor.json and the plots.")] = Path("out/monitor"),
    publish: Annotated[bool, typer.Option("--publish", help="Put the figures into CloudWatch, too.")] = False,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Read what the endpoint captured, draw it over time, and compare it with the baseline.

    Exit code 0 stable (or too little to tell), 3 watch, 4 drifted, 1 error.

    Example: `scones monitor --since 24h --publish`
    """
    settings = options.settings(target, stack_name, home)
    span = span_of(since, begin, end, datetime.now(UTC))
    session = aws.session(settings)
    with console.progress("reading captures"):
        found = look(session, settings, span, endpoint=endpoint, baseline=baseline, threshold=threshold)
    with console.progress("drawing"):
        _draw(found, out)
    if publish:
        cloudwatch = session.client("cloudwatch")
        at = found.span.until or datetime.now(UTC)
        count = cloudwatch_metrics.publish(cloudwatch, found.endpoint, found.drift, found.timeline, at)
        console.err.print(f"{count} metrics put under the namespace {cloudwatch_metrics.NAMESPACE}")
    if as_json:
        console.print_json(found.to_dict())
    else:
        _show(found, out)
    raise typer.Exit(EXIT_CODES[found.drift.verdict])


def look(
    session: boto3.Session,
    settings: Settings,
    span: Span,
    *,
    endpoint: str | None = None,
    baseline: Path | None = None,
    threshold: float | None = None,
) -> Look:
    """Read the captures of a time range and judge them; ``baseline`` is the file to compare with, if one was named.

    Raises StackMissing, CaptureOff, EndpointGone, BaselineMissing or BaselineUnreadable.
    """
    name = endpoint or settings.endpoint_name
    deployed = _deployed(session, settings, needed=endpoint is None)
    place = place_of(session, name, deployed)
    labels = deployed.labels if deployed else VEHICLES
    least = threshold or (deployed.threshold if deployed else DEFAULT_THRESHOLD)
    compared = model_baseline.find(session, name, baseline)
    reading = capture.CaptureReader(session.client("s3"), place, span.since, span.until)
    window = InferenceWindow.of(reading)
    if not len(window) and place.is_abandoned:
        raise EndpointGone(name, str(span))
    until = span.until or datetime.now(UTC)
    return Look(
        endpoint=name,
        span=span,
        window=window,
        labels=labels,
        drift=drift.compare(window, compared, least, labels),
        timeline=Timeline.of(window, least),
        capture=reading.report,
        latency=cloudwatch_metrics.latency(session.client("cloudwatch"), name, place.variant, span.since, until),
    )


def place_of(session: boto3.Session, endpoint: str, deployed: pipeline.Deployed | None) -> capture.CaptureLocation:
    """Where the endpoint captures to; one that was deleted has left its captures in the stack's bucket."""
    try:
        return capture.capture_location(session.client("sagemaker"), endpoint)
    except ClientError as error:
        if deployed is None or "Could not find" not in str(error):
            raise
        console.err.print(
            f"endpoint {endpoint} is not there; what it left in s3://{deployed.data_bucket} is read", soft_wrap=True
        )
        return capture.CaptureLocation(deployed.data_bucket, pipeline.CAPTURE_PREFIX, endpoint, is_abandoned=True)


def span_of(since: str | None, begin: str | None, end: str | None, now: datetime) -> Span:
    """Read the options for a time range. Raises BadParameter."""
    if since and begin:
        raise typer.BadParameter("name one of the two, --since or --from", param_hint="--since")
    until = _time(end, "--to") if end else None
    start = _time(begin, "--from") if begin else (until or now) - _duration(since or "24h")
    if start > (until or now):
        raise typer.BadParameter(f"the range begins at {start:%Y-%m-%d %H:%M:%S} UTC, after it ends")
    return Span(start, until)


def _time(text: str, option: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no time such as 2026-11-24T06:00", param_hint=option) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,5})([smhd])", text)
    if not match:
        raise typer.BadParameter(f"'{text}' is no span such as 90s, 30m, 24h or 7d", param_hint="--since")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _deployed(session: boto3.Session, settings: Settings, *, needed: bool) -> pipeline.Deployed | None:
    try:
        return pipeline.deployed(session, settings)
    except StackMissing:
        if needed:
            raise
        return None


def _draw(found: Look, folder: Path) -> None:
    from monitoring import plots  # noqa: PLC0415 - drawing takes a second to import

    plots.confidence_over_time(found.timeline, found.labels).write(folder)
    plots.drift_signals(found.drift).write(folder)
    (folder / "monitor.json").write_text(json.dumps(found.to_dict(), indent=2) + "\n", "utf-8")


def _show(found: Look, folder: Path) -> None:
    report = found.drift
    colour = _COLOURS[report.verdict]
    console.out.print(f"[bold {colour}]{report.verdict}[/]  {found.endpoint}, {found.span}", highlight=False)
    sentence = report.sentence.removeprefix(f"{report.verdict}: ")
    console.out.print(console.escape(sentence), highlight=False, soft_wrap=True)
    if report.signals:
        console.out.print(_table(report))
    for line in _lines(found):
        console.out.print(console.escape(line), highlight=False, soft_wrap=True)
    console.out.print(f"plots: {folder / 'confidence.png'}, {folder / 'drift.png'}", highlight=False, soft_wrap=True)


def _table(report: DriftReport) -> Table:
    table = Table("signal", "then", "now", "statistic", "adjusted p", "verdict", show_edge=False)
    for signal in report.signals:
        p = "< 0.0001" if signal.adjusted_p < 0.0001 else f"{signal.adjusted_p:.4f}"
        colour = _COLOURS[signal.verdict]
        statistic = f"{signal.test} {signal.statistic:.3f}"
        table.add_row(
            signal.name, f"{signal.then:.3g}", f"{signal.now:.3g}", statistic, p, f"[{colour}]{signal.verdict}[/]"
        )
    return table


def _lines(found: Look) -> Iterator[str]:
    window, threshold = found.window, found.timeline.threshold
    if len(window):
        below = float((window.confidences < threshold).mean())
        second = int(window.labels.sum())
        mix = f"{len(window) - second:,} {found.labels[0]}, {second:,} {found.labels[1]}"
        yield (
            f"{len(window):,} inferences, mean confidence {window.confidences.mean():.4f}, {below:.1%} below "
            f"{threshold:g}; {mix}"
        )
    estimate = found.drift.estimated_accuracy
    if estimate is not None:
        yield f"estimated accuracy {estimate.value:.1%} (95 % interval {estimate.low:.1%} to {estimate.high:.1%})"
    if found.latency.mean is not None:
        yield f"model latency {found.latency.mean:.0f} ms on average, {found.latency.worst:.0f} ms at worst"
    if found.drift.baseline is not None:
        yield f"compared with: {found.drift.baseline}"
    yield from (f"note: {note}" for note in (*found.drift.notes, *found.capture.sentences()))

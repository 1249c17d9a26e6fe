"""Writes the report's page and plots."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from core.files import write_atomically
from core.thumbnails import data_uri
from monitoring import plots
from monitoring.calibration import calibration
from monitoring.evaluation import Rate, by_class, evaluate, percentiles
from monitoring.plots import style
from monitoring.report.content import Content, ReportedImage

SHOWN = 60
"""At most so many accepted images have a thumbnail; all others have one."""
_NONE = "\N{EN DASH}"
_SIDE = 96


@dataclass(frozen=True)
class WrittenReport:
    """The paths of the page and of its plots, each as PNG and SVG."""

    page: Path
    files: tuple[Path, ...]


@dataclass(frozen=True)
class _Figure:
    name: str
    title: str
    alt: str
    svg: Markup


def write(content: Content, folder: Path, name: str = "report") -> WrittenReport:
    """Write ``name.html`` and the plots into ``folder``."""
    drawn = _plots(content)
    figures = {plot.name: _figure(plot, plot.write(folder)) for plot in drawn}
    page = folder / f"{name}.html"
    write_atomically(page, render(content, figures))
    return WrittenReport(page, tuple(folder / f"{plot.name}.{kind}" for plot in drawn for kind in ("png", "svg")))


def render(content: Content, figures: "dict[str, _Figure]") -> str:
    """Return the page as HTML; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("monitoring", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "thumbnail": lambda content: data_uri(content, _SIDE),
        "size": _size,
        "milliseconds": _milliseconds,
        "percent": _percent,
        "sentence": _sentence,
    }
    source, _, _ = PackageLoader("monitoring", "report").get_source(environment, "style.css")
    predictions = content.predictions
    return environment.get_template("page.html.jinja").render(
        content=content,
        figures=figures,
        css=Markup(source),  # noqa: S704 - our own file # nosec B704
        cards=_cards(content),
        classes=by_class(predictions, content.threshold),
        labels=content.labels,
        galleries=_galleries(content.images, content.review_url),
        executions=[image for image in content.images if image.execution],
    )


def _plots(content: Content) -> list[plots.Plot]:
    predictions = content.predictions
    drawn = [
        plots.scatter(predictions, content.threshold, content.labels),
        plots.reliability(calibration(predictions)),
        plots.confusion_matrix(predictions, content.labels),
        plots.threshold_curve(predictions, content.threshold),
    ]
    if content.timeline is not None:
        drawn.insert(1, plots.confidence_over_time(content.timeline, content.labels))
    if content.drift is not None:
        drawn.append(plots.drift_signals(content.drift))
    return drawn


def _figure(plot: plots.Plot, svg: str) -> _Figure:
    return _Figure(plot.name, plot.title, plot.alt, Markup(style.inline(svg, plot.name)))  # noqa: S704 - drawn here # nosec B704


def _cards(content: Content) -> list[tuple[str, str, str]]:
    """Return title, figure and explanation of each card; a figure without denominator has no card."""
    predictions = content.predictions
    evaluation = evaluate(predictions, content.threshold)
    counts = {kind: len(_of(content.images, kind)) for kind in ("accepted", "review")}
    failed = len(content.images) - sum(counts.values())
    split = f"{counts['accepted']} accepted, {counts['review']} to review, {failed} failed"
    cards = [("Images", f"{len(content.images)}", split)]
    for title, rate in (
        ("Accuracy", evaluation.accuracy),
        (f"Accepted at {content.threshold:g}", evaluation.accepted),
        ("Accuracy of the accepted", evaluation.accuracy_accepted),
    ):
        if rate.n:
            cards.append((title, f"{rate.value:.1%}", _interval(rate)))
    if predictions:
        cards.append(("Calibration error", f"{calibration(predictions).ece:.3f}", "0: accuracy equals confidence"))
    times = [image.milliseconds for image in content.images if image.milliseconds is not None]
    if times:
        latency = percentiles(times)
        cards.append(("Latency", f"{latency['p50']:.0f} ms", f"median of the executions; p95 {latency['p95']:.0f} ms"))
    if content.timeline is not None:
        cards.append(("Captured", f"{content.timeline.n:,}", "inferences read from the endpoint's data capture"))
    if content.drift is not None and content.drift.estimated_accuracy is not None:
        estimate = content.drift.estimated_accuracy
        cards.append(
            (
                "Estimated accuracy",
                f"{estimate.value:.1%}",
                f"without labels; {estimate.low:.1%} to {estimate.high:.1%}",
            )
        )
    return cards


def _interval(rate: Rate) -> str:
    return f"{rate.successes} of {rate.n}; 95 % interval {rate.low:.1%} to {rate.high:.1%}"


def _galleries(images: Sequence[ReportedImage], review_url: str | None) -> list[dict[str, Any]]:
    """Return title, images and whether it is open, for each gallery; the most confident mistakes first."""
    wrong = [image for image in images if image.is_wrong]
    rest = [image for image in images if not image.is_wrong]
    chosen = [
        ("Wrong predictions", "the most confident first", wrong, True),
        ("To review", "right, or without a true label, but below the threshold", _of(rest, "review"), True),
        ("Failed", "no prediction", _of(rest, "failure", "other"), True),
        ("Accepted", "right, or without a true label", _of(rest, "accepted"), False),
    ]
    links = {"To review": review_url, "Failed": f"{review_url}#failures"} if review_url else {}
    return [
        {
            "title": title,
            "link": links.get(title),
            "note": note,
            "count": len(members),
            "is_open": is_open,
            "images": sorted(members, key=lambda image: -(image.confidence or 0))[: None if is_open else SHOWN],
        }
        for title, note, members, is_open in chosen
    ]


def _of(images: Sequence[ReportedImage], *dispositions: str) -> list[ReportedImage]:
    return [image for image in images if image.disposition in dispositions]


def _sentence(text: str) -> Markup:
    """Return a sentence with a capital and a full stop; text between backquotes is set as code."""
    parts = [escape(part) for part in text.rstrip(".").split("`")]
    parts[0] = parts[0][:1].upper() + parts[0][1:]
    odd_ones_are_code = (Markup("<code>{}</code>").format(p) if n % 2 else p for n, p in enumerate(parts))
    return Markup("").join(odd_ones_are_code) + "."


def _percent(value: float | None, digits: int = 1) -> str:
    return _NONE if value is None or math.isnan(value) else f"{value:.{digits}%}"


def _size(count: int | None) -> str:
    if count is None:
        return _NONE
    return f"{count:,} B" if count < 10_000 else f"{count / 1024:,.0f} KiB"


def _milliseconds(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.0f} ms"

"""Plots of captured inferences, whose true labels are not known."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.ticker import MaxNLocator

from core.labels import VEHICLES, Labels
from monitoring.drift import DriftReport, format_p_value
from monitoring.plots import style
from monitoring.plots.style import BAND, CLASS_COLOURS, CLASS_MARKERS, INK, LINE, MUTED, THRESHOLD, WARN, Plot
from monitoring.timeline import Timeline

_CONFIDENCE = "Confidence over time"
_LONGEST_LABEL = 24
_VERDICTS = {"stable": (THRESHOLD, "o"), "watch": (WARN, "s"), "drifted": (CLASS_COLOURS[1], "D")}


def confidence_over_time(timeline: Timeline, labels: Labels = VEHICLES) -> Plot:
    """Draw each inference's confidence, the rolling mean, the 10th to 90th percentile, and the threshold."""
    figure, axes = style.canvas()
    axes.set_ylabel("confidence")
    lowest = min([timeline.threshold, *(point.confidence for point in timeline.points)])
    axes.set_ylim(max(0.0, min(0.78, lowest - 0.06)), 1.012)
    if not timeline.points:
        style.threshold_line(axes, timeline.threshold)
        style.show_sentence(axes, timeline.empty_reason)
        axes.set_xticks([])
        return Plot("confidence", _CONFIDENCE, f"{_CONFIDENCE}: {style.plain(timeline.empty_reason)}.", figure)
    _band(axes, timeline)
    for label, name in enumerate(labels):
        own = [point for point in timeline.points if point.label == label]
        axes.scatter(
            [point.time for point in own],  # type: ignore[arg-type]  # matplotlib converts datetimes
            [point.confidence for point in own],
            s=20,
            marker=CLASS_MARKERS[label],
            color=CLASS_COLOURS[label],
            alpha=0.6,
            linewidths=0,
            zorder=4,
            label=name if own else f"no {name}",
        )
    style.threshold_line(axes, timeline.threshold)
    _time_axis(axes, timeline)
    figure.legend(
        loc="outside lower center", ncols=4, frameon=False, fontsize=9, handletextpad=0.6, handlelength=1.6,
        columnspacing=1.4, labelcolor=INK, borderpad=0.1,
    )  # fmt: skip
    return Plot("confidence", _CONFIDENCE, _alternative_text(timeline), figure)


def _time_axis(axes: Axes, timeline: Timeline) -> None:
    """Label the axis with times of day up to a span of three days, else with days."""
    first, last = timeline.points[0].time, timeline.points[-1].time
    span = (last - first).total_seconds()
    days = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    axes.set_xlabel(f"{days}, UTC")
    if not span:
        axes.set_xticks([first], [f"{first:%H:%M:%S}"])  # type: ignore[arg-type]
        return
    form = "%H:%M:%S" if span < 300 else "%H:%M" if span < 86_400 else "%d %b\n%H:%M" if span < 259_200 else "%d %b"
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=6))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter(form))  # type: ignore[no-untyped-call]


def _band(axes: Axes, timeline: Timeline) -> None:
    middles: Any = [each.start + (each.end - each.start) / 2 for each in timeline.bins]

    def values(name: str) -> npt.NDArray[np.float64]:
        return np.array([np.nan if getattr(b, name) is None else getattr(b, name) for b in timeline.bins], np.float64)

    if len(timeline.bins) < 2:
        return
    axes.fill_between(
        middles,
        values("low"),
        values("high"),
        color=BAND,
        alpha=0.3,
        linewidth=0,
        zorder=1,
        label="10th to 90th percentile",
    )
    axes.plot(middles, values("rolling_mean"), color=INK, linewidth=1.8, zorder=5, label="rolling mean")


def _alternative_text(timeline: Timeline) -> str:
    first, last = timeline.points[0].time, timeline.points[-1].time
    below = sum(round(each.n * each.share_below) for each in timeline.bins if each.share_below is not None)
    when = f"{first:%Y-%m-%d %H:%M:%S}" if first == last else f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}"
    lowest = min(point.confidence for point in timeline.points)
    inferences = "1 inference" if timeline.n == 1 else f"{timeline.n} inferences"
    return (
        f"Confidence over time of {inferences}, {when} UTC: {below} below the threshold {timeline.threshold:g}, "
        f"the lowest is {lowest:.2f}."
    )


def drift_signals(report: DriftReport) -> Plot:
    """Draw each signal's difference from the baseline, in units of the effect size that matters, with its verdict."""
    signals = report.signals
    figure, axes = style.canvas(height=max(2.2, 0.34 * len(signals) + 1.1))
    if not signals:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[["left", "bottom"]].set_visible(False)
        style.show_sentence(axes, report.description)
        return Plot("drift", "Drift", f"Drift: {style.plain(report.description)}.", figure)
    ranked = sorted(signals, key=lambda signal: signal.statistic / signal.effect_size_limit)
    sizes = [signal.statistic / signal.effect_size_limit for signal in ranked]
    reach = max(1.15, 1.05 * max(sizes))
    axes.hlines(range(len(ranked)), 0, sizes, color=LINE, linewidth=2, zorder=1)
    axes.axvline(1, color=MUTED, linestyle=(0, (5, 3)), linewidth=1.2, zorder=2)
    for row, (signal, size) in enumerate(zip(ranked, sizes, strict=True)):
        colour, marker = _VERDICTS.get(signal.verdict, (MUTED, "o"))
        axes.scatter([size], [row], s=48, color=colour, marker=marker, zorder=3, clip_on=False)
        text = f"{signal.verdict}, {format_p_value(signal.adjusted_p)}"
        axes.text(1.03, row, text, transform=axes.get_yaxis_transform(), color=colour, fontsize=9, va="center")
    axes.set_yticks(range(len(ranked)), [signal.name[:_LONGEST_LABEL] for signal in ranked])
    axes.set_xlim(0, reach)
    axes.set_ylim(-0.6, len(ranked) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlabel("difference from the baseline; matters from 1 on")
    axes.tick_params(axis="y", length=0, pad=10)
    words = "; ".join(f"{s.name} {s.verdict}, {size:.2f}" for s, size in zip(ranked[::-1], sizes[::-1], strict=True))
    rule = "a signal has drifted only where the difference is statistically significant as well"
    return Plot("drift", "Drift", f"Difference from the baseline, matters from 1 on ({rule}): {words}.", figure)

"""Plots of what was captured, where the truth is not known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from monitoring.evaluate import LABELS
from monitoring.plots import style
from monitoring.plots.style import BAND, CLASS_COLOURS, CLASS_MARKERS, INK, LINE, MUTED, THRESHOLD, WARN, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from monitoring.drift import Signal
    from monitoring.timeline import Timeline

_NOTHING = "no inference was captured in this time"
_LONGEST_LABEL = 24


def confidence_over_time(timeline: "Timeline") -> Plot:
    """Draw each inference's confidence, their rolling mean, the band in which most lie, and the threshold."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    figure, axes = style.canvas()
    axes.set_ylabel("confidence")
    lowest = min([timeline.threshold, *(point.confidence for point in timeline.points)])
    axes.set_ylim(max(0.0, min(0.78, lowest - 0.06)), 1.012)
    if not timeline.points:
        style.threshold_line(axes, timeline.threshold)
        style.say(axes, _NOTHING)
        axes.set_xticks([])
        return Plot("confidence", "Confidence over time", f"Confidence over time: {_NOTHING}.", figure)
    _band(axes, timeline)
    for label, name in enumerate(LABELS):
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
            label=name,
        )
    style.threshold_line(axes, timeline.threshold)
    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("UTC")
    if len(timeline.points) == 1:
        axes.set_xticks([timeline.points[0].time], [f"{timeline.points[0].time:%Y-%m-%d %H:%M:%S}"])  # type: ignore[arg-type]
    figure.legend(
        loc="outside upper center", ncols=4, frameon=False, fontsize=9, handletextpad=0.3, columnspacing=1.0,
        labelcolor=INK, borderpad=0.1,
    )  # fmt: skip
    return Plot("confidence", "Confidence over time", _words(timeline), figure)


def _band(axes: "Axes", timeline: "Timeline") -> None:
    middles: Any = [each.start + (each.end - each.start) / 2 for each in timeline.bins]

    def values(name: str) -> "npt.NDArray[np.float64]":
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
        label="10 to 90 %",
    )
    axes.plot(middles, values("rolling_mean"), color=INK, linewidth=1.8, zorder=5, label="rolling mean")


def _words(timeline: "Timeline") -> str:
    first, last = timeline.points[0].time, timeline.points[-1].time
    below = sum(round(each.n * each.share_below) for each in timeline.bins if each.share_below is not None)
    when = f"{first:%Y-%m-%d %H:%M:%S}" if first == last else f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}"
    lowest = min(point.confidence for point in timeline.points)
    inferences = "1 inference" if timeline.n == 1 else f"{timeline.n} inferences"
    return (
        f"Confidence over time of {inferences}, {when} UTC: {below} below the threshold {timeline.threshold:g}, "
        f"the lowest {lowest:.2f}."
    )


def drift_signals(signals: Sequence["Signal"]) -> Plot:
    """Draw how far each signal is from the baseline, in units of what counts as much."""
    figure, axes = style.canvas(height=max(2.2, 0.34 * len(signals) + 1.1))
    if not signals:
        axes.set_xticks([])
        axes.set_yticks([])
        style.say(axes, "no signal was compared with a baseline")
        return Plot("drift", "Drift", "Drift: no signal was compared with a baseline.", figure)
    ranked = sorted(signals, key=lambda signal: signal.statistic / signal.material)
    sizes = [signal.statistic / signal.material for signal in ranked]
    colours = [{"stable": THRESHOLD, "watch": WARN, "drifted": CLASS_COLOURS[1]}.get(s.verdict, MUTED) for s in ranked]
    markers = [{"stable": "o", "watch": "s", "drifted": "D"}.get(signal.verdict, "o") for signal in ranked]
    axes.hlines(range(len(ranked)), 0, sizes, color=LINE, linewidth=2, zorder=1)
    for row, (size, colour, marker) in enumerate(zip(sizes, colours, markers, strict=True)):
        axes.scatter([size], [row], s=48, color=colour, marker=marker, zorder=3, clip_on=False)
    axes.axvline(1, color=MUTED, linestyle=(0, (5, 3)), linewidth=1.2, zorder=2)
    axes.set_yticks(range(len(ranked)), [signal.name[:_LONGEST_LABEL] for signal in ranked])
    axes.set_xlim(0, max(1.15, 1.08 * max(sizes)))
    axes.set_xlabel("difference from the baseline (1 = counts as much)")
    axes.tick_params(axis="y", length=0, pad=10)
    words = "; ".join(f"{s.name} {s.verdict}, {size:.2f}" for s, size in zip(ranked[::-1], sizes[::-1], strict=True))
    return Plot("drift", "Drift", f"Difference from the baseline where 1 counts as much: {words}.", figure)

"""Plots of answers whose truth is known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from monitoring import threshold as thresholds
from monitoring.calibration import Calibration
from monitoring.evaluation import VEHICLES, Answer, Labels, confusion, evaluate
from monitoring.plots import style
from monitoring.plots.style import BAND, CLASS_COLOURS, CLASS_MARKERS, INK, LINE, MUTED, PAPER, THRESHOLD, WARN, Plot

if TYPE_CHECKING:
    from matplotlib.patches import Rectangle

_GOLDEN = (5**0.5 - 1) / 2
_NOTHING = "no image with a known label was answered"


def scatter(answers: Sequence[Answer], threshold: float, labels: Labels = VEHICLES) -> Plot:
    """Draw each answer's confidence over its image's true class; wrong answers are ringed and crossed."""
    figure, axes = style.canvas()
    wrong = [answer for answer in answers if not answer.is_right]
    for label, name in enumerate(labels):
        own = sorted((a for a in answers if a.label == label), key=lambda answer: answer.confidence)
        x = label + _jitter(len(own))
        y = np.array([answer.confidence for answer in own])
        axes.scatter(
            x, y, s=34, marker=CLASS_MARKERS[label], color=CLASS_COLOURS[label], alpha=0.75, linewidths=0, zorder=4
        )
        missed = np.array([not answer.is_right for answer in own], bool)
        if missed.any():
            axes.scatter(x[missed], y[missed], s=130, facecolors="none", edgecolors=INK, linewidths=1.3, zorder=5)
            axes.scatter(x[missed], y[missed], s=48, marker="x", color=INK, linewidths=1.3, zorder=6)
        images = f"{len(own) or 'no'} image{'' if len(own) == 1 else 's'}"
        said = f"{name}\n{images}, {int(missed.sum())} wrong" if own else f"{name}\n{images}"
        axes.text(label, 0.462, said, ha="center", va="top", color=CLASS_COLOURS[label], fontweight="bold")
    if not answers:
        style.say(axes, _NOTHING)
    style.threshold_line(axes, threshold, x=0.5, ha="center")
    axes.set_xlim(-0.45, 1.45)
    axes.set_ylim(_floor(threshold), 1.012)
    axes.set_xticks([])
    axes.set_ylabel("confidence")
    if wrong:
        axes.set_title("⊗ wrong answer", loc="right", fontsize=10, color=INK)
    return Plot("scatter", "Confidence by true label", _scatter_words(answers, threshold, labels, len(wrong)), figure)


def _floor(threshold: float) -> float:
    return min(0.48, threshold - 0.02)


def _jitter(n: int) -> "npt.NDArray[np.floating]":
    """Offsets in -0.23 to 0.23: neighbours in rank lie far apart, and every run gives the same."""
    return ((np.arange(n) * _GOLDEN) % 1 - 0.5) * 0.46


def _scatter_words(answers: Sequence[Answer], threshold: float, labels: Labels, wrong: int) -> str:
    if not answers:
        return f"Confidence by true label: {_NOTHING}."
    counts = [sum(answer.label == label for answer in answers) for label in (0, 1)]
    accepted = evaluate(answers, threshold).accepted.successes
    return (
        f"Confidence by true label, {counts[0]} {labels[0]} (blue circles) and {counts[1]} {labels[1]} (red diamonds): "
        f"{accepted} of {len(answers)} lie at or above the threshold {threshold:g}; {_wrong(wrong)}."
    )


def _wrong(count: int) -> str:
    return "1 answer is wrong" if count == 1 else f"{count or 'no'} answers are wrong"


def reliability(found: Calibration) -> Plot:
    """Draw accuracy over confidence: on the diagonal a confidence means what it says."""
    figure, axes = style.canvas()
    axes.plot([0.5, 1], [0.5, 1], color=BAND, linewidth=1.2, zorder=2)
    axes.set_xlim(0.49, 1.02)
    axes.set_ylim(-0.02, 1.05)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share that is right")
    for axis in (axes.xaxis, axes.yaxis):
        style.percent(axis)
    if not found.bins:
        style.say(axes, _NOTHING)
        return Plot("reliability", "Reliability", f"Reliability: {_NOTHING}.", figure)
    x = np.array([each.confidence for each in found.bins])
    y = np.array([each.accuracy.value for each in found.bins])
    reach = np.array([[each.accuracy.value - each.accuracy.low, each.accuracy.high - each.accuracy.value]
                      for each in found.bins]).T  # fmt: skip
    largest = max(each.accuracy.n for each in found.bins)
    sizes = [25 + 175 * each.accuracy.n / largest for each in found.bins]
    axes.errorbar(x, y, yerr=np.clip(reach, 0, 1), fmt="none", ecolor=MUTED, elinewidth=1, capsize=0, zorder=3)
    axes.scatter(x, y, s=sizes, color=CLASS_COLOURS[0], alpha=0.85, linewidths=0, zorder=4)
    for each in found.bins:
        axes.text(each.confidence, 0.0, str(each.accuracy.n), ha="center", va="bottom", color=MUTED, fontsize=9)
    if min(x) > 0.64:  # else a bin's interval would run through the words
        axes.text(0.5, 0.52, "as right as it says", color=MUTED, fontsize=9.5, rotation=45, rotation_mode="anchor",
                  transform_rotates_text=True)  # fmt: skip
    axes.set_title("grey: how many answers", loc="left", fontsize=9, color=MUTED)
    axes.set_title(f"calibration error {found.ece:.3f}", loc="right", fontsize=10, color=INK)
    n = sum(each.accuracy.n for each in found.bins)
    words = (
        f"Reliability of {n} answers, with 95 % intervals; on the line an answer is as often right as it says. "
        f"Expected calibration error {found.ece:.3f}; by bin of confidence: "
        + ", ".join(
            f"{each.confidence:.0%} sure, {each.accuracy.value:.0%} right of {each.accuracy.n}" for each in found.bins
        )
    )
    return Plot("reliability", "Reliability", f"{words}.", figure)


def confusion_matrix(answers: Sequence[Answer], labels: Labels = VEHICLES) -> Plot:
    """Draw how many images of each class were answered with each; mistakes are the two outlined cells."""
    counts = np.array(confusion(answers))
    figure, axes = style.canvas()
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for true in (0, 1):
        for said in (0, 1):
            share = counts[true, said] / totals[true, 0]
            axes.add_patch(_cell(said, true, CLASS_COLOURS[said], 0.08 + 0.32 * share, mistake=said != true))
            axes.text(said, true - 0.06, str(counts[true, said]), ha="center", va="center", fontsize=22, color=INK)
            note = f"{share:.1%}" if counts[true].sum() else "no images"
            axes.text(said, true + 0.24, note, ha="center", va="center", fontsize=10, color=MUTED)
    axes.set_xlim(-0.52, 1.52)
    axes.set_ylim(1.52, -0.52)
    axes.set_xticks([0, 1], labels)
    axes.set_yticks([0, 1], labels, rotation=90, va="center")
    axes.set_xlabel("answer")
    axes.set_ylabel("true label")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    words = "; ".join(
        f"of {int(counts[label].sum())} {name} {counts[label, label]} were answered {name}"
        for label, name in enumerate(labels)
    )
    return Plot("confusion", "Confusion", f"Confusion matrix: {words}.", figure)


def _cell(x: int, y: int, colour: str, alpha: float, *, mistake: bool) -> "Rectangle":
    from matplotlib.colors import to_rgba  # noqa: PLC0415
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    return Rectangle(
        (x - 0.48, y - 0.47), 0.96, 0.94, facecolor=to_rgba(colour, alpha), edgecolor=WARN if mistake else PAPER,
        linewidth=1.2, linestyle="--" if mistake else "-",
    )  # fmt: skip


def threshold_curve(answers: Sequence[Answer], threshold: float) -> Plot:
    """Draw the accuracy among the accepted over the share accepted, as the threshold falls; mark the one in use."""
    from matplotlib.ticker import FixedLocator, MaxNLocator  # noqa: PLC0415

    figure, axes = style.canvas()
    axes.set_xlabel("share accepted")
    axes.set_ylabel("right among the accepted")
    for axis in (axes.xaxis, axes.yaxis):
        style.percent(axis, 0)
    axes.set_xlim(0, 1.02)
    points = thresholds.curve(answers)
    if not points:
        axes.set_ylim(0, 1.02)
        style.say(axes, _NOTHING)
        return Plot("threshold", "Accuracy and coverage", f"Accuracy and coverage: {_NOTHING}.", figure)
    coverage, accuracy = [p[1] for p in points], [p[2] for p in points]
    low = min(accuracy)
    span = max(1 - low, 0.02)
    axes.set_ylim(max(0.0, low - 0.35 * span), 1 + 0.12 * span)
    ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(*axes.get_ylim())
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if tick < 1.0001]))
    style.percent(axes.yaxis, 1 if span < 0.05 else 0)
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.step(coverage, accuracy, where="post", color=CLASS_COLOURS[0], linewidth=1.8, zorder=3)
    if len(points) == 1:
        axes.scatter(coverage, accuracy, s=30, color=CLASS_COLOURS[0], zorder=4, clip_on=False)
    used = thresholds.choose(answers, threshold)
    words = (
        f"Accuracy among the accepted over the share accepted; accepting all {len(answers)} gives {accuracy[-1]:.1%}"
    )
    if used.accuracy.n:
        axes.scatter([used.coverage.value], [used.accuracy.value], s=70, color=THRESHOLD, zorder=5, clip_on=False)
        late = used.coverage.value > 0.5
        axes.annotate(
            f"threshold {threshold:g}:\n{used.accuracy.value:.1%} right of {used.coverage.value:.1%} accepted",
            (used.coverage.value, used.accuracy.value),
            xytext=(-8 if late else 8, -12),
            textcoords="offset points",
            ha="right" if late else "left",
            va="top",
            color=THRESHOLD,
            fontsize=10,
        )
        words += f"; the threshold {threshold:g} accepts {used.coverage.value:.1%}"
        words += f", of which {used.accuracy.value:.1%} are right"
    else:
        axes.set_title(f"nothing reaches the threshold {threshold:g}", loc="right", fontsize=10, color=THRESHOLD)
        words += f"; nothing reaches the threshold {threshold:g}"
    return Plot("threshold", "Accuracy and coverage", f"{words}.", figure)

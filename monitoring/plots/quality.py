"""Plots of predictions whose true labels are known."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator

from core.labels import VEHICLES, Labels
from monitoring import threshold as thresholds
from monitoring.calibration import Calibration
from monitoring.evaluation import Prediction, confusion, evaluate
from monitoring.plots import style
from monitoring.plots.style import BAND, CLASS_COLOURS, CLASS_MARKERS, INK, LINE, MUTED, PAPER, THRESHOLD, WARN, Plot

_GOLDEN = (5**0.5 - 1) / 2
_NO_DATA = "there are no predictions for images with a known label"


def scatter(predictions: Sequence[Prediction], threshold: float, labels: Labels = VEHICLES) -> Plot:
    """Draw each prediction's confidence by true label; wrong predictions are ringed and crossed."""
    figure, axes = style.canvas()
    wrong = [prediction for prediction in predictions if not prediction.is_right]
    for label, name in enumerate(labels):
        own = sorted((p for p in predictions if p.label == label), key=lambda prediction: prediction.confidence)
        x = label + _jitter(len(own))
        y = np.array([prediction.confidence for prediction in own])
        axes.scatter(
            x, y, s=34, marker=CLASS_MARKERS[label], color=CLASS_COLOURS[label], alpha=0.75, linewidths=0, zorder=4
        )
        missed = np.array([not prediction.is_right for prediction in own], bool)
        if missed.any():
            axes.scatter(x[missed], y[missed], s=130, facecolors="none", edgecolors=INK, linewidths=1.3, zorder=5)
            axes.scatter(x[missed], y[missed], s=48, marker="x", color=INK, linewidths=1.3, zorder=6)
        images = f"{len(own) or 'no'} image{'' if len(own) == 1 else 's'}"
        caption = f"{name}\n{images}, {int(missed.sum())} wrong" if own else f"{name}\n{images}"
        axes.text(label, 0.462, caption, ha="center", va="top", color=CLASS_COLOURS[label], fontweight="bold")
    if not predictions:
        style.show_sentence(axes, _NO_DATA)
    style.threshold_line(axes, threshold, x=0.5, ha="center")
    axes.set_xlim(-0.45, 1.45)
    axes.set_ylim(_floor(threshold), 1.012)
    axes.set_xticks([])
    axes.set_ylabel("confidence")
    if wrong:
        axes.set_title("⊗ wrong prediction", loc="right", fontsize=10, color=INK)
    return Plot(
        "scatter", "Confidence by true label", _scatter_text(predictions, threshold, labels, len(wrong)), figure
    )


def _floor(threshold: float) -> float:
    return min(0.48, threshold - 0.02)


def _jitter(n: int) -> npt.NDArray[np.floating]:
    """Return offsets in -0.23 to 0.23, the same in every run; neighbours in rank are far apart."""
    return ((np.arange(n) * _GOLDEN) % 1 - 0.5) * 0.46


def _scatter_text(predictions: Sequence[Prediction], threshold: float, labels: Labels, wrong: int) -> str:
    if not predictions:
        return f"Confidence by true label: {_NO_DATA}."
    counts = [sum(prediction.label == label for prediction in predictions) for label in (0, 1)]
    accepted = evaluate(predictions, threshold).accepted.successes
    return (
        f"Confidence by true label, {counts[0]} {labels[0]} (blue circles) and {counts[1]} {labels[1]} (red diamonds): "
        f"{accepted} of {len(predictions)} are at or above the threshold {threshold:g}; {_wrong(wrong)}."
    )


def _wrong(count: int) -> str:
    return "1 prediction is wrong" if count == 1 else f"{count or 'no'} predictions are wrong"


def reliability(calibration: Calibration) -> Plot:
    """Draw accuracy over confidence: on the diagonal they are equal."""
    figure, axes = style.canvas()
    axes.plot([0.5, 1], [0.5, 1], color=BAND, linewidth=1.2, zorder=2)
    axes.set_xlim(0.49, 1.02)
    axes.set_ylim(-0.02, 1.05)
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    for axis in (axes.xaxis, axes.yaxis):
        style.percent(axis)
    if not calibration.bins:
        style.show_sentence(axes, _NO_DATA)
        return Plot("reliability", "Reliability", f"Reliability: {_NO_DATA}.", figure)
    x = np.array([each.confidence for each in calibration.bins])
    y = np.array([each.accuracy.value for each in calibration.bins])
    reach = np.array([[each.accuracy.value - each.accuracy.low, each.accuracy.high - each.accuracy.value]
                      for each in calibration.bins]).T  # fmt: skip
    largest = max(each.accuracy.n for each in calibration.bins)
    sizes = [25 + 175 * each.accuracy.n / largest for each in calibration.bins]
    axes.errorbar(x, y, yerr=np.clip(reach, 0, 1), fmt="none", ecolor=MUTED, elinewidth=1, capsize=0, zorder=3)
    axes.scatter(x, y, s=sizes, color=CLASS_COLOURS[0], alpha=0.85, linewidths=0, zorder=4)
    for each in calibration.bins:
        axes.text(each.confidence, 0.0, str(each.accuracy.n), ha="center", va="bottom", color=MUTED, fontsize=9)
    if min(x) > 0.64:  # else a bin's interval would cross the text
        axes.text(0.5, 0.52, "accuracy = confidence", color=MUTED, fontsize=9.5, rotation=45, rotation_mode="anchor",
                  transform_rotates_text=True)  # fmt: skip
    axes.set_title("grey: number of predictions", loc="left", fontsize=9, color=MUTED)
    axes.set_title(f"calibration error {calibration.ece:.3f}", loc="right", fontsize=10, color=INK)
    n = sum(each.accuracy.n for each in calibration.bins)
    words = (
        f"Reliability of {n} predictions, with 95 % intervals; on the line, accuracy equals confidence. "
        f"Expected calibration error {calibration.ece:.3f}; by bin: "
        + ", ".join(
            f"confidence {each.confidence:.0%}, {each.accuracy.value:.0%} of {each.accuracy.n} right"
            for each in calibration.bins
        )
    )
    return Plot("reliability", "Reliability", f"{words}.", figure)


def confusion_matrix(predictions: Sequence[Prediction], labels: Labels = VEHICLES) -> Plot:
    """Draw how many images of each true label were predicted as each label; errors are outlined."""
    counts = np.array(confusion(predictions))
    figure, axes = style.canvas()
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for true in (0, 1):
        for predicted in (0, 1):
            share = counts[true, predicted] / totals[true, 0]
            axes.add_patch(_cell(predicted, true, 0.08 + 0.32 * share))
            axes.text(
                predicted, true - 0.06, str(counts[true, predicted]), ha="center", va="center", fontsize=22, color=INK
            )
            note = f"{share:.1%}" if counts[true].sum() else "no images"
            axes.text(predicted, true + 0.24, note, ha="center", va="center", fontsize=10, color=MUTED)
    axes.set_xlim(-0.52, 1.52)
    axes.set_ylim(1.52, -0.52)
    axes.set_xticks([0, 1], labels)
    axes.set_yticks([0, 1], labels, rotation=90, va="center")
    axes.set_xlabel("predicted label")
    axes.set_ylabel("true label")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    words = "; ".join(
        f"{counts[label, label]} of {int(counts[label].sum())} {name} images were predicted as {name}"
        for label, name in enumerate(labels)
    )
    return Plot("confusion", "Confusion", f"Confusion matrix: {words}.", figure)


def _cell(predicted: int, true: int, alpha: float) -> Rectangle:
    is_error = predicted != true
    return Rectangle(
        (predicted - 0.48, true - 0.47), 0.96, 0.94, facecolor=to_rgba(CLASS_COLOURS[predicted], alpha),
        edgecolor=WARN if is_error else PAPER, linewidth=1.2, linestyle="--" if is_error else "-",
    )  # fmt: skip


def threshold_curve(predictions: Sequence[Prediction], threshold: float) -> Plot:
    """Draw the accuracy of the accepted over the share accepted, as the threshold falls; mark the one in use."""
    figure, axes = style.canvas()
    axes.set_xlabel("share accepted")
    axes.set_ylabel("accuracy of the accepted")
    for axis in (axes.xaxis, axes.yaxis):
        style.percent(axis, 0)
    axes.set_xlim(0, 1.02)
    points = thresholds.coverage_curve(predictions)
    if not points:
        axes.set_ylim(0, 1.02)
        style.show_sentence(axes, _NO_DATA)
        return Plot("threshold", "Accuracy and coverage", f"Accuracy and coverage: {_NO_DATA}.", figure)
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
    used = thresholds.threshold_effect(predictions, threshold)
    words = (
        f"Accuracy of the accepted over the share accepted; accepting all {len(predictions)} gives {accuracy[-1]:.1%}"
    )
    if used.accuracy.n:
        axes.scatter([used.coverage.value], [used.accuracy.value], s=70, color=THRESHOLD, zorder=5, clip_on=False)
        late = used.coverage.value > 0.5
        axes.annotate(
            f"threshold {threshold:g}:\n{used.accuracy.value:.1%} right, {used.coverage.value:.1%} accepted",
            (used.coverage.value, used.accuracy.value),
            xytext=(-8 if late else 8, -12),
            textcoords="offset points",
            ha="right" if late else "left",
            va="top",
            color=THRESHOLD,
            fontsize=10,
            path_effects=[style.OUTLINE],
            zorder=6,
        )
        words += f"; the threshold {threshold:g} accepts {used.coverage.value:.1%}"
        words += f", of which {used.accuracy.value:.1%} are right"
    else:
        axes.set_title(f"no prediction reaches the threshold {threshold:g}", loc="right", fontsize=10, color=THRESHOLD)
        words += f"; no prediction reaches the threshold {threshold:g}"
    return Plot("threshold", "Accuracy and coverage", f"{words}.", figure)

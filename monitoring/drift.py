"""Whether the world still looks as it did: every signal tested against the baseline, and one verdict in words.

A signal is *drifted* when it differs surely (adjusted p < 0.005) and much, *watch* when it differs surely but little,
or much but less surely (adjusted p < 0.02). p values are adjusted for several tests after Benjamini and Hochberg
(1995), which, where nothing has changed, also bounds the chance of any alarm.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from monitoring import signals
from monitoring.baseline import Baseline
from monitoring.evaluation import VEHICLES, Labels
from monitoring.signals import Comparison
from monitoring.timeline import Bin, Point, Timeline
from monitoring.window import Window

__all__ = ["Bin", "DriftReport", "Estimate", "Point", "Signal", "Timeline", "Verdict", "look"]

LEAST = 30
"""Below so many inferences nothing is tested."""
SURE, LIKELY = 0.005, 0.02


class Verdict(StrEnum):
    """From the best to the worst; ``unknown`` is for too few inferences, or no baseline."""

    UNKNOWN = "unknown"
    STABLE = "stable"
    WATCH = "watch"
    DRIFTED = "drifted"


_ORDER = tuple(Verdict)


@dataclass(frozen=True)
class Signal:
    """One thing compared with the baseline.

    ``statistic`` is the test's (Kolmogorov-Smirnov D, PSI, or a difference of shares); from ``material`` on it counts
    as much. ``then`` and ``now`` are the medians, or shares, of the baseline and of the window.
    """

    name: str
    test: str
    statistic: float
    material: float
    p_value: float
    adjusted_p: float
    then: float
    now: float
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Estimate:
    """Accuracy without labels, with an interval that covers the true accuracy of these images at 95 %.

    The mean of the calibrated confidences, moved by what those of known truth were off their accuracy (Guillory et al.
    2021, difference of confidences, https://arxiv.org/abs/2107.03315). It holds as long as nothing has drifted.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DriftReport:
    """What is to be said of ``n`` inferences. ``notes`` are sentences on what limits the verdict."""

    n: int
    verdict: Verdict
    sentence: str
    signals: tuple[Signal, ...]
    estimated_accuracy: Estimate | None
    notes: tuple[str, ...]
    baseline: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def look(window: Window, baseline: Baseline | None, threshold: float, labels: Labels = VEHICLES) -> DriftReport:
    """Compare a window with the baseline; ``threshold`` is the least confidence that is accepted."""
    notes = _notes(window, baseline, threshold, labels)
    estimate = _estimate(window, baseline)
    source = baseline.source if baseline else None
    if len(window) == 0:
        return DriftReport(0, Verdict.UNKNOWN, "no inference was captured in this time", (), None, notes, source)
    if baseline is None:
        sentence = "there is no baseline to compare with: name one, or make one with `scones baseline --captured`"
        return DriftReport(len(window), Verdict.UNKNOWN, sentence, (), estimate, notes, source)
    if len(window) < LEAST:
        sentence = f"{_count(len(window))} in this time: too few to tell, it takes {LEAST}"
        return DriftReport(len(window), Verdict.UNKNOWN, sentence, (), estimate, notes, source)
    found = _judged(signals.compare(window, baseline, threshold, labels))
    verdict = max((signal.verdict for signal in found), key=_ORDER.index)
    return DriftReport(len(window), verdict, _sentence(verdict, found), found, estimate, notes, source)


def _judged(outcomes: Sequence[Comparison]) -> tuple[Signal, ...]:
    from scipy.stats import false_discovery_control  # noqa: PLC0415 - takes seconds to import

    adjusted = false_discovery_control([each.p_value for each in outcomes], method="bh")
    return tuple(_signal(each, float(p)) for each, p in zip(outcomes, adjusted, strict=True))


def _signal(found: Comparison, adjusted: float) -> Signal:
    much = found.statistic >= found.material
    if adjusted < SURE:
        verdict = Verdict.DRIFTED if much else Verdict.WATCH
    else:
        verdict = Verdict.WATCH if adjusted < LIKELY and much else Verdict.STABLE
    sentence = f"{found.says} ({found.test} {found.statistic:.3f}, adjusted {in_short(adjusted)})"
    return Signal(
        found.name,
        found.test,
        found.statistic,
        found.material,
        found.p_value,
        adjusted,
        found.then,
        found.now,
        verdict,
        sentence,
    )


def in_short(p: float) -> str:
    """Return a p value as people write it."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"


def _sentence(verdict: Verdict, found: Sequence[Signal]) -> str:
    if verdict is Verdict.STABLE:
        return f"stable: none of {len(found)} signals differs from the baseline"
    named = sorted((signal for signal in found if signal.verdict is verdict), key=lambda signal: signal.p_value)
    return f"{verdict}: {'; '.join(signal.sentence for signal in named)}"


def _estimate(window: Window, baseline: Baseline | None) -> Estimate | None:
    if not len(window):
        return None
    value, variance = float(window.confidences.mean()), _variance(window.confidences)
    if baseline is not None and baseline.known is not None:
        value += baseline.known.offset
        variance += baseline.known.variance
    reach = 1.96 * float(np.sqrt(variance))
    value = min(1.0, max(0.0, value))
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach))


def _variance(confidences: "np.ndarray[Any, Any]") -> float:
    """Of the share of right answers, each of which is right with its confidence."""
    return float((confidences * (1 - confidences)).sum()) / len(confidences) ** 2


def _notes(window: Window, baseline: Baseline | None, threshold: float, labels: Labels) -> tuple[str, ...]:
    if not len(window):
        return ()
    notes = []
    present = {int(label) for label in np.unique(window.labels)}
    if len(present) == 1 and len(window) > 1:
        notes.append(f"every answer is {labels[present.pop()]}: if that is not so, the model or its input is broken")
    if (window.confidences < threshold).all() and len(window) > 1:
        notes.append(f"every confidence is below {threshold:g}: nothing passes without review")
    if window.unreadable:
        notes.append(f"{window.unreadable} of the images looked at cannot be decoded")
    if not window.images:
        notes.append("no image was captured (capture the endpoint's input, too), so only answers are compared")
    elif baseline is not None and not baseline.images:
        notes.append("the baseline has no image statistics, so only answers are compared")
    return tuple(notes)


def _count(n: int) -> str:
    return "1 inference was captured" if n == 1 else f"{n} inferences were captured"

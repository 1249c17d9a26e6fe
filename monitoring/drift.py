"""Drift detection: tests every signal against the baseline and sums them up in one verdict.

A signal has *drifted* if its difference is statistically significant (adjusted p < 0.005) and of an effect size that
matters. It is on *watch* if the difference is significant but small, or large but less significant (adjusted p < 0.02).
p values are adjusted for multiple tests after Benjamini and Hochberg (1995), which also bounds the probability of any
alarm while nothing has changed.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control

from core.labels import VEHICLES, Labels
from monitoring import signals
from monitoring.baseline import Baseline
from monitoring.signals import Comparison
from monitoring.window import InferenceWindow

MIN_INFERENCES = 30
"""With fewer inferences nothing is tested."""
DRIFTED_P, WATCH_P = 0.005, 0.02
_JSON_KEYS = {"effect_size_limit": "material", "current": "now", "description": "sentence"}


class Verdict(StrEnum):
    """From the best to the worst; ``unknown`` is for too few inferences, or no baseline."""

    UNKNOWN = "unknown"
    STABLE = "stable"
    WATCH = "watch"
    DRIFTED = "drifted"


@dataclass(frozen=True)
class Signal:
    """One property compared with the baseline.

    ``statistic`` is the test's (Kolmogorov-Smirnov D, PSI, or a difference of shares): an effect size, which matters
    from ``effect_size_limit`` on. ``baseline`` and ``current`` are the medians or shares of baseline and window.
    """

    name: str
    test: str
    statistic: float
    effect_size_limit: float
    p_value: float
    adjusted_p: float
    baseline: float
    current: float
    verdict: Verdict
    description: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, with the keys of version 1.0."""
        keys = _JSON_KEYS | {"baseline": "then"}
        return {keys.get(name, name): value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class AccuracyEstimate:
    """Accuracy without labels, with an interval that covers the true accuracy of these images at 95 %.

    The mean of the calibrated confidences, corrected by the difference of confidence and accuracy on labelled images
    (Guillory et al. 2021, difference of confidences, https://arxiv.org/abs/2107.03315). Valid while nothing drifts.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DriftReport:
    """The verdict on ``n`` inferences. ``notes`` are sentences on what limits it."""

    n: int
    verdict: Verdict
    description: str
    signals: tuple[Signal, ...]
    estimated_accuracy: AccuracyEstimate | None
    notes: tuple[str, ...]
    baseline: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, with the keys of version 1.0."""
        values: dict[str, Any] = asdict(self) | {"signals": [signal.to_dict() for signal in self.signals]}
        return {_JSON_KEYS.get(name, name): value for name, value in values.items()}


def compare(
    window: InferenceWindow, baseline: Baseline | None, threshold: float, labels: Labels = VEHICLES
) -> DriftReport:
    """Compare a window with the baseline; ``threshold`` is the minimum confidence that is accepted."""
    notes = _notes(window, baseline, threshold, labels)
    estimate = _estimate(window, baseline)
    source = baseline.source if baseline else None
    n = len(window)
    if n == 0:
        return DriftReport(0, Verdict.UNKNOWN, "no inference was captured in this time range", (), None, notes, source)
    if baseline is None:
        description = (
            "there is no baseline to compare with: create one with `scones baseline --captured`, or use --baseline"
        )
        return DriftReport(n, Verdict.UNKNOWN, description, (), estimate, notes, source)
    if n < MIN_INFERENCES:
        count = "1 inference was" if n == 1 else f"{n} inferences were"
        description = f"{count} captured in this time range: at least {MIN_INFERENCES} are needed for a comparison"
        return DriftReport(n, Verdict.UNKNOWN, description, (), estimate, notes, source)
    judged = _judge(signals.compare(window, baseline, threshold, labels))
    verdict = max((signal.verdict for signal in judged), key=tuple(Verdict).index)
    return DriftReport(n, verdict, _describe(verdict, judged), judged, estimate, notes, source)


def _judge(comparisons: Sequence[Comparison]) -> tuple[Signal, ...]:
    adjusted = false_discovery_control([each.p_value for each in comparisons], method="bh")
    return tuple(_signal(each, float(p)) for each, p in zip(comparisons, adjusted, strict=True))


def _signal(comparison: Comparison, adjusted_p: float) -> Signal:
    matters = comparison.statistic >= comparison.effect_size_limit
    if adjusted_p < DRIFTED_P:
        verdict = Verdict.DRIFTED if matters else Verdict.WATCH
    else:
        verdict = Verdict.WATCH if adjusted_p < WATCH_P and matters else Verdict.STABLE
    test = f"{comparison.test} {comparison.statistic:.3f}, adjusted {format_p_value(adjusted_p)}"
    return Signal(
        name=comparison.name,
        test=comparison.test,
        statistic=comparison.statistic,
        effect_size_limit=comparison.effect_size_limit,
        p_value=comparison.p_value,
        adjusted_p=adjusted_p,
        baseline=comparison.baseline,
        current=comparison.current,
        verdict=verdict,
        description=f"{comparison.description} ({test})",
    )


def _describe(verdict: Verdict, judged: Sequence[Signal]) -> str:
    if verdict is Verdict.STABLE:
        return f"stable: none of {len(judged)} signals differs from the baseline"
    named = sorted((signal for signal in judged if signal.verdict is verdict), key=lambda signal: signal.p_value)
    return f"{verdict}: {'; '.join(signal.description for signal in named)}"


def _estimate(window: InferenceWindow, baseline: Baseline | None) -> AccuracyEstimate | None:
    if not len(window):
        return None
    value, variance = float(window.confidences.mean()), _variance(window.confidences)
    if baseline is not None and baseline.reference is not None:
        value += baseline.reference.offset
        variance += baseline.reference.variance
    reach = 1.96 * float(np.sqrt(variance))
    value = min(1.0, max(0.0, value))
    return AccuracyEstimate(value, max(0.0, value - reach), min(1.0, value + reach))


def _variance(confidences: npt.NDArray[np.float64]) -> float:
    """Return the variance of the share of right predictions, if each is right with the probability it states."""
    return float((confidences * (1 - confidences)).sum()) / len(confidences) ** 2


def _notes(window: InferenceWindow, baseline: Baseline | None, threshold: float, labels: Labels) -> tuple[str, ...]:
    if not len(window):
        return ()
    notes = []
    predicted = {int(label) for label in np.unique(window.labels)}
    if len(predicted) == 1 and len(window) > 1:
        notes.append(f"every prediction is {labels[predicted.pop()]}: if the images are not, check model and input")
    if (window.confidences < threshold).all() and len(window) > 1:
        notes.append(f"every confidence is below {threshold:g}: nothing is accepted without review")
    if window.unreadable:
        notes.append(f"{window.unreadable} of the sampled images cannot be decoded")
    if not window.images:
        notes.append("no image was captured (capture the endpoint's input, too), so only predictions are compared")
    elif baseline is not None and not baseline.images:
        notes.append("the baseline has no image statistics, so only predictions are compared")
    return tuple(notes)


def format_p_value(p: float) -> str:
    """Return a p value with two significant digits."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"

"""Drift detection: tests every signal against the baseline and sums them up in one verdict.

A signal has *drifted* if its difference is statistically significant (adjusted p < 0.005) and of an effect size that
matters. It is on *watch* if the difference is significant but small, or large but less significant (adjusted p < 0.02).
p values are adjusted for multiple tests after Benjamini and Hochberg (1995), which also bounds the probability of any
alarm while nothing has changed.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control

from core.labels import VEHICLES, Labels
from monitoring import signals
from monitoring.baseline import Baseline
from monitoring.drift_report import AccuracyEstimate, DriftReport, Signal, Verdict, format_p_value
from monitoring.signals import Comparison
from monitoring.window import InferenceWindow

MIN_INFERENCES = 30
"""With fewer inferences nothing is tested."""
DRIFTED_P, WATCH_P = 0.005, 0.02
_ORDER = tuple(Verdict)


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
    verdict = max((signal.verdict for signal in judged), key=_ORDER.index)
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

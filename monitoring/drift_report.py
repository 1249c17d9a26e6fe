"""The monitoring result: a verdict on the captured inferences, and the signals it rests on."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

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


def format_p_value(p: float) -> str:
    """Return a p value with two significant digits."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"

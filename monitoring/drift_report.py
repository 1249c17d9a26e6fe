"""The monitoring result: a verdict on the captured inferences, and the signals it rests on."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """From the best to the worst; ``unknown`` is for too few inferences, or no baseline."""

    UNKNOWN = "unknown"
    STABLE = "stable"
    WATCH = "watch"
    DRIFTED = "drifted"


@dataclass(frozen=True)
class Signal:
    """One property compared with the baseline.

    ``statistic`` is the test's (Kolmogorov-Smirnov D, PSI, or a difference of shares); from ``material`` on the
    difference is material. ``then`` and ``now`` are the medians, or shares, of the baseline and of the window.
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
    sentence: str
    signals: tuple[Signal, ...]
    estimated_accuracy: AccuracyEstimate | None
    notes: tuple[str, ...]
    baseline: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def format_p_value(p: float) -> str:
    """Return a p value with two significant digits."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"

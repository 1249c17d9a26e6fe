"""Compares predictions with true labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_Z = 1.959963984540054  # the standard normal distribution's 97.5th percentile


@dataclass(frozen=True)
class Rate:
    """A share of successes with its 95 % Wilson score interval; all three are NaN where ``n`` is 0."""

    successes: int
    n: int
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, successes: int, n: int) -> "Rate":
        """Return the rate of ``successes`` in ``n`` trials (interval: Wilson 1927)."""
        if n == 0:
            return cls(0, 0, float("nan"), float("nan"), float("nan"))
        value = successes / n
        centre = (value + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        reach = _Z / (1 + _Z**2 / n) * math.sqrt(value * (1 - value) / n + _Z**2 / (4 * n**2))
        low = 0.0 if successes == 0 else centre - reach
        high = 1.0 if successes == n else centre + reach
        return cls(successes, n, value, low, high)


def describe_rate(rate: Rate) -> str:
    """Return a rate with its counts and interval as text."""
    if rate.n == 0:
        return "none"
    return f"{rate.value:.1%}  ({rate.successes} of {rate.n}; 95 % interval {rate.low:.1%} to {rate.high:.1%})"


@dataclass(frozen=True)
class Prediction:
    """The endpoint's prediction for an image whose label is known: ``inferences`` has a probability for each label."""

    label: int
    inferences: tuple[float, float]

    @property
    def predicted(self) -> int:
        """The likelier label, 0 or 1."""
        return int(np.argmax(self.inferences))

    @property
    def is_right(self) -> bool:
        """Whether the likelier label is the true one."""
        return self.predicted == self.label

    @property
    def confidence(self) -> float:
        """The probability of the likelier label."""
        return max(self.inferences)


@dataclass(frozen=True)
class Evaluation:
    """Accuracy over all predictions, the share accepted at the threshold, and the accuracy among those accepted."""

    accuracy: Rate
    accepted: Rate
    accuracy_accepted: Rate


def evaluate(predictions: Sequence[Prediction], threshold: float) -> Evaluation:
    """Evaluate predictions; one is accepted where its confidence >= ``threshold``."""
    accepted = [prediction for prediction in predictions if prediction.confidence >= threshold]
    return Evaluation(
        accuracy=Rate.of(sum(prediction.is_right for prediction in predictions), len(predictions)),
        accepted=Rate.of(len(accepted), len(predictions)),
        accuracy_accepted=Rate.of(sum(prediction.is_right for prediction in accepted), len(accepted)),
    )


@dataclass(frozen=True)
class ClassFigures:
    """Figures of the images of one class; ``median_confidence`` is NaN if there are none."""

    label: int
    accuracy: Rate
    accepted: Rate
    median_confidence: float


def by_class(predictions: Sequence[Prediction], threshold: float) -> tuple[ClassFigures, ClassFigures]:
    """Return the figures of the images whose true label is 0, and of those whose is 1."""

    def figures(label: int) -> ClassFigures:
        members = [prediction for prediction in predictions if prediction.label == label]
        evaluation = evaluate(members, threshold)
        median = float(np.median([prediction.confidence for prediction in members])) if members else float("nan")
        return ClassFigures(label, evaluation.accuracy, evaluation.accepted, median)

    return figures(0), figures(1)


def confusion(predictions: Sequence[Prediction]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many images of each true label (row) were predicted as each label (column)."""
    counts = [[0, 0], [0, 0]]
    for prediction in predictions:
        counts[prediction.label][prediction.predicted] += 1
    return (counts[0][0], counts[0][1]), (counts[1][0], counts[1][1])


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return ``{"p50", "p95"}`` of durations in milliseconds, NaN if there are none."""
    if not milliseconds:
        return {"p50": float("nan"), "p95": float("nan")}
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}

"""Compares answers with the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Labels: TypeAlias = tuple[str, str]
"""What label 0 and label 1 are called."""
VEHICLES: Labels = ("bicycle", "motorcycle")


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
        """Return the rate of ``successes`` in ``n`` trials (interval: Wilson 1927, as scipy computes it)."""
        if n == 0:
            return cls(0, 0, float("nan"), float("nan"), float("nan"))
        from scipy.stats import binomtest  # noqa: PLC0415 - takes seconds to import

        interval = binomtest(successes, n).proportion_ci(method="wilson")
        return cls(successes, n, successes / n, float(interval.low), float(interval.high))


def in_words(rate: Rate) -> str:
    """Return a rate with what it rests on."""
    if rate.n == 0:
        return "none"
    return f"{rate.value:.1%}  ({rate.successes} of {rate.n}; 95 % interval {rate.low:.1%} to {rate.high:.1%})"


@dataclass(frozen=True)
class Answer:
    """What the endpoint said of an image whose label is known: ``inferences`` has a probability for each label."""

    label: int
    inferences: tuple[float, float]

    @property
    def predicted(self) -> int:
        """The likelier label, 0 or 1."""
        return int(np.argmax(self.inferences))

    @property
    def is_right(self) -> bool:
        """Whether the likelier class is the true one."""
        return self.predicted == self.label

    @property
    def confidence(self) -> float:
        """The likelier class's probability."""
        return max(self.inferences)


@dataclass(frozen=True)
class Evaluation:
    """Accuracy over all answers, the share accepted at the threshold, and the accuracy among those accepted."""

    accuracy: Rate
    accepted: Rate
    accuracy_accepted: Rate


def evaluate(answers: Sequence[Answer], threshold: float) -> Evaluation:
    """Return the evaluation of answers at a threshold; an answer is accepted when its confidence >= ``threshold``."""
    accepted = [answer for answer in answers if answer.confidence >= threshold]
    return Evaluation(
        accuracy=Rate.of(sum(answer.is_right for answer in answers), len(answers)),
        accepted=Rate.of(len(accepted), len(answers)),
        accuracy_accepted=Rate.of(sum(answer.is_right for answer in accepted), len(accepted)),
    )


@dataclass(frozen=True)
class ClassFigures:
    """The answers to the images of one class; ``median_confidence`` is NaN where there are none."""

    label: int
    accuracy: Rate
    accepted: Rate
    median_confidence: float


def by_class(answers: Sequence[Answer], threshold: float) -> tuple[ClassFigures, ClassFigures]:
    """Return the figures of the images whose true label is 0, and of those whose is 1."""

    def figures(label: int) -> ClassFigures:
        own = [answer for answer in answers if answer.label == label]
        found = evaluate(own, threshold)
        median = float(np.median([answer.confidence for answer in own])) if own else float("nan")
        return ClassFigures(label, found.accuracy, found.accepted, median)

    return figures(0), figures(1)


def confusion(answers: Sequence[Answer]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many images of each true class (row) were answered with each class (column)."""
    counts = [[0, 0], [0, 0]]
    for answer in answers:
        counts[answer.label][answer.predicted] += 1
    return (counts[0][0], counts[0][1]), (counts[1][0], counts[1][1])


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return ``{"p50", "p95"}`` of durations in milliseconds; NaN where there are none."""
    if not milliseconds:
        return {"p50": float("nan"), "p95": float("nan")}
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}

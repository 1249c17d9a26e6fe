"""Compares two models by their predictions for the same images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.evaluation import Evaluation, Prediction, Rate, evaluate


@dataclass(frozen=True)
class Difference:
    """Difference of two shares of the same ``n`` images, new minus old, with its 95 % interval.

    ``only_new`` and ``only_old`` count the images for which just one of the two holds.
    """

    value: float
    low: float
    high: float
    only_new: int
    only_old: int
    n: int

    @classmethod
    def of(cls, new: Sequence[bool], old: Sequence[bool]) -> "Difference":
        """Return the difference for paired observations, at least one.

        The interval is Newcombe's square-and-add of two Wilson intervals, with his correction of the correlation
        (method 10 of R. G. Newcombe, Improved confidence intervals for the difference between binomial proportions
        based on paired data, Statistics in Medicine 17, 1998, 2635-2650).
        """
        pairs, n = list(zip(new, old, strict=True)), len(new)
        both, only_new, only_old = (pairs.count(pair) for pair in ((True, True), (True, False), (False, True)))
        first, second = Rate.of(both + only_new, n), Rate.of(both + only_old, n)
        correlation = _correlation(both, only_new, only_old, n - both - only_new - only_old)
        return cls(
            first.value - second.value,
            first.value - second.value - _distance(first.value - first.low, second.high - second.value, correlation),
            first.value - second.value + _distance(second.value - second.low, first.high - first.value, correlation),
            only_new,
            only_old,
            n,
        )


def _correlation(both: int, only_new: int, only_old: int, none: int) -> float:
    """Return Newcombe's phi of the four counts, corrected towards 0 where it is positive; 0 where it is undefined."""
    margins = (both + only_new) * (only_old + none) * (both + only_old) * (only_new + none)
    product = float(both * none - only_new * only_old)
    if product > 0:
        product = max(product - (both + only_new + only_old + none) / 2, 0.0)
    return product / math.sqrt(margins) if margins else 0.0


def _distance(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))


@dataclass(frozen=True)
class Comparison:
    """A new and an old model on the same images; ``neither`` compares how many images of neither label are accepted."""

    new: Evaluation
    old: Evaluation
    accuracy: Difference
    accepted: Difference
    neither: Difference | None

    @property
    def is_better(self) -> bool:
        """Whether accuracy or the rejection of neither has improved, and the other has not got worse: by intervals."""
        neither = self.neither or Difference(0, 0, 0, 0, 0, 0)
        is_improved = self.accuracy.low > 0 or neither.high < 0
        return is_improved and self.accuracy.high >= 0 and neither.low <= 0


def compare(
    new: Sequence[Prediction],
    old: Sequence[Prediction],
    threshold: float,
    neither: tuple[Sequence[float], Sequence[float]] = ((), ()),
) -> Comparison:
    """Compare predictions for the same images; ``neither`` has the confidences of new and old for images of neither."""
    accepted = [[prediction.confidence >= threshold for prediction in predictions] for predictions in (new, old)]
    others = [[confidence >= threshold for confidence in confidences] for confidences in neither]
    return Comparison(
        new=evaluate(new, threshold),
        old=evaluate(old, threshold),
        accuracy=Difference.of([each.is_right for each in new], [each.is_right for each in old]),
        accepted=Difference.of(*accepted),
        neither=Difference.of(*others) if others[0] else None,
    )


def describe_difference(difference: Difference) -> str:
    """Return a difference with its interval and counts as text, in percentage points."""
    return (
        f"{100 * difference.value:+.1f} points  (95 % interval {100 * difference.low:+.1f} to "
        f"{100 * difference.high:+.1f}; {difference.only_new} images only the new, {difference.only_old} only the old, "
        f"of {difference.n})"
    )

"""Whether a confidence means what it says: of the answers given with 90 %, nine in ten should be right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.evaluation import Answer, Rate

BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers with a confidence in ``[low, high)``, the last bin's end included; ``confidence`` is their mean."""

    low: float
    high: float
    confidence: float
    accuracy: Rate


@dataclass(frozen=True)
class Calibration:
    """Bins that hold an answer, in rising order, and the expected calibration error: NaN where there is no answer."""

    bins: tuple[ReliabilityBin, ...]
    ece: float


def calibration(answers: Sequence[Answer], bins: int = BINS) -> Calibration:
    """Return how confidence and accuracy go together, in bins of equal width from 0.5, the least of two classes, to 1.

    The error is the mean distance of accuracy from confidence over the bins, weighted by their answers (Guo et al.
    2017, "On Calibration of Modern Neural Networks").
    """
    edges = np.linspace(0.5, 1.0, bins + 1)
    sorted_in: dict[int, list[Answer]] = {}
    for answer in answers:
        position = int(np.searchsorted(edges, answer.confidence, side="right")) - 1
        sorted_in.setdefault(min(max(position, 0), bins - 1), []).append(answer)
    found = tuple(
        ReliabilityBin(
            low=float(edges[position]),
            high=float(edges[position + 1]),
            confidence=float(np.mean([answer.confidence for answer in members])),
            accuracy=Rate.of(sum(answer.is_right for answer in members), len(members)),
        )
        for position, members in sorted(sorted_in.items())
    )
    gaps = [abs(each.accuracy.value - each.confidence) * each.accuracy.n for each in found]
    return Calibration(found, sum(gaps) / len(answers) if answers else float("nan"))

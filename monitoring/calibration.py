"""Whether confidence matches accuracy: of predictions with a confidence of 90 %, 90 % should be right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.evaluation import Prediction, Rate

BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions with a confidence in ``[low, high)``, the last bin's end included; ``confidence`` is their mean."""

    low: float
    high: float
    confidence: float
    accuracy: Rate


@dataclass(frozen=True)
class Calibration:
    """Bins that are not empty, in rising order, and the expected calibration error: NaN without predictions."""

    bins: tuple[ReliabilityBin, ...]
    ece: float


def calibration(predictions: Sequence[Prediction], bins: int = BINS) -> Calibration:
    """Compare confidence with accuracy in bins of equal width from 0.5, the least of two classes, to 1.

    The error is the mean distance of accuracy from confidence over the bins, weighted by their predictions (Guo et al.
    2017, "On Calibration of Modern Neural Networks").
    """
    edges = np.linspace(0.5, 1.0, bins + 1)
    members_of: dict[int, list[Prediction]] = {}
    for prediction in predictions:
        position = int(np.searchsorted(edges, prediction.confidence, side="right")) - 1
        members_of.setdefault(min(max(position, 0), bins - 1), []).append(prediction)
    filled = tuple(
        ReliabilityBin(
            low=float(edges[position]),
            high=float(edges[position + 1]),
            confidence=float(np.mean([prediction.confidence for prediction in members])),
            accuracy=Rate.of(sum(prediction.is_right for prediction in members), len(members)),
        )
        for position, members in sorted(members_of.items())
    )
    gaps = [abs(each.accuracy.value - each.confidence) * each.accuracy.n for each in filled]
    return Calibration(filled, sum(gaps) / len(predictions) if predictions else float("nan"))

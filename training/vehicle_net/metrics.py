"""Metrics of predictions: exact counts with Wilson intervals, calibration error, coverage at the threshold."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]

THRESHOLD = 0.94
"""The confidence from which the workflow accepts a prediction by default."""

_Z = 1.959963984540054  # 95 %


def wilson(correct: int, images: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if images == 0:
        return 0.0, 1.0
    share, weight = correct / images, _Z**2 / images
    centre = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * math.sqrt(share * (1 - share) / images + weight / (4 * images))
    return max(0.0, centre - half), min(1.0, centre + half)


def expected_calibration_error(probabilities: Floats, labels: Labels, *, bins: int = 10) -> float:
    """Mean over images of |confidence - accuracy| in `bins` equally wide bins of confidence from 0.5 to 1."""
    gaps = [
        abs(confidence - accuracy) * share for confidence, accuracy, share in reliability(probabilities, labels, bins)
    ]
    return sum(gaps)


def reliability(probabilities: Floats, labels: Labels, bins: int = 10) -> list[tuple[float, float, float]]:
    """Of each bin of confidence that holds images: mean confidence, accuracy, share of the images."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(((confidence - 0.5) * 2 * bins).astype(int), 0, bins - 1)
    return [
        (float(confidence[bin_of == b].mean()), float(correct[bin_of == b].mean()), float((bin_of == b).mean()))
        for b in np.unique(bin_of)
    ]


@dataclass(frozen=True)
class Score:
    """Figures of one set of predictions; `accepted` are those at the threshold or above."""

    images: int
    correct: int
    accuracy: float
    low: float
    high: float
    accepted: int
    accepted_correct: int
    coverage: float
    accepted_accuracy: float
    ece: float
    log_loss: float

    @classmethod
    def of(cls, probabilities: Floats, labels: Labels, *, threshold: float = THRESHOLD) -> "Score":
        """Score probabilities (N, 2) against labels (N,)."""
        right = probabilities.argmax(axis=1) == labels
        accepted = probabilities.max(axis=1) >= threshold
        images, correct = len(labels), int(right.sum())
        taken, taken_correct = int(accepted.sum()), int(right[accepted].sum())
        low, high = wilson(correct, images)
        chosen = np.clip(probabilities[np.arange(images), labels], 1e-12, 1.0)
        return cls(
            images=images,
            correct=correct,
            accuracy=correct / images,
            low=low,
            high=high,
            accepted=taken,
            accepted_correct=taken_correct,
            coverage=taken / images,
            accepted_accuracy=taken_correct / taken if taken else 1.0,
            ece=expected_calibration_error(probabilities, labels),
            log_loss=float(-np.log(chosen).mean()),
        )

    def to_dict(self) -> dict[str, float]:
        """As model.json holds it."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.correct} of {self.images} right ({self.accuracy:.4f}, 95 % {self.low:.3f} to {self.high:.3f}), "
            f"ECE {self.ece:.4f}, accepted {self.accepted} ({self.coverage:.3f}), "
            f"of which right {self.accepted_correct} ({self.accepted_accuracy:.4f})"
        )


@dataclass(frozen=True)
class Accepted:
    """How many images of neither label are accepted, each of them wrongly, with the share's interval."""

    images: int
    accepted: int
    share: float
    low: float
    high: float

    @classmethod
    def of(cls, probabilities: Floats, *, threshold: float = THRESHOLD) -> "Accepted":
        """Count probabilities (N, 2) at the threshold or above."""
        images, accepted = len(probabilities), int((probabilities.max(axis=1) >= threshold).sum())
        low, high = wilson(accepted, images)
        return cls(images, accepted, accepted / images if images else 0.0, low, high)

    def to_dict(self) -> dict[str, float]:
        """As model.json holds it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.accepted} of {self.images} accepted ({self.share:.4f}, 95 % {self.low:.3f} to {self.high:.3f})"

"""Confidences that mean what they say: a temperature (https://arxiv.org/abs/1706.04599) for the network's logits."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]

_BOUNDS = (-3.0, 3.0)  # of the temperature's logarithm


@dataclass(frozen=True)
class Calibration:
    """p_1 = sigmoid((logit of label 1 - logit of label 0) / temperature)."""

    temperature: float = 1.0

    def to_dict(self) -> dict[str, object]:
        """As model.json holds it."""
        return {"method": "temperature", **asdict(self)}

    def probabilities(self, margins: Floats) -> Floats:
        """Probabilities (N, 2) of logit differences (N,)."""
        second = expit(margins / self.temperature)
        return np.stack([1 - second, second], axis=1)


def fit(margins: Floats, labels: Labels) -> Calibration:
    """The temperature of least log loss on out-of-fold logit differences (N,) and labels (N,), 0 or 1.

    Labels are smoothed as Platt (1999) proposes, so that the fit stays finite where no answer is wrong.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(logarithm: float) -> float:
        scaled = margins / np.exp(logarithm)
        return float(np.mean(np.logaddexp(0, scaled) - targets * scaled))

    return Calibration(float(np.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x)))

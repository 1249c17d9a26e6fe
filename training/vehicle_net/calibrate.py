"""Calibration of confidences by sigmoids (Platt 1999): one for the difference of the labels' logits, as a temperature
(https://arxiv.org/abs/1706.04599) and a shift, and one for how much the logit of neither exceeds them.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Calibration:
    """p_1 = sigmoid((logit of label 1 - logit of label 0 - shift) / temperature).

    Of three logits: q = sigmoid(slope * (logit of neither - log of the sum of the labels' exponentials) + offset) is
    the probability that the image shows neither, and each label's is (1 - q) p + q / 2.
    """

    temperature: float = 1.0
    shift: float = 0.0
    """The difference of the labels' logits at which both are equally likely."""
    slope: float = 1.0
    offset: float = 0.0

    def to_dict(self, *, neither: bool = False) -> dict[str, object]:
        """As model.json holds it."""
        if neither:
            return {"method": "sigmoids for the labels and for neither", **asdict(self)}
        return {"method": "sigmoid", "temperature": self.temperature, "shift": self.shift}

    def neither(self, logits: Floats) -> Floats:
        """Probabilities (N,) that images show neither, of logits (N, 2) or (N, 3)."""
        if logits.shape[1] == 2:
            return np.zeros(len(logits))
        neither: Floats = expit(self.slope * excess(logits) + self.offset)
        return neither

    def probabilities(self, logits: Floats) -> Floats:
        """Probabilities (N, 2) of logits (N, 2) or (N, 3)."""
        neither = self.neither(logits)
        second = expit((logits[:, 1] - logits[:, 0] - self.shift) / self.temperature) * (1 - neither) + neither / 2
        return np.stack([1 - second, second], axis=1)


def excess(logits: Floats) -> Floats:
    """How much the logit of neither exceeds those of the labels together, (N,)."""
    difference: Floats = logits[:, 2] - logsumexp(logits[:, :2], axis=1)
    return difference


def fit(logits: Floats, labels: Labels, others: Floats | None = None, prior: float = 1.0) -> Calibration:
    """The calibration of least log loss on out-of-fold logits (N, outputs) and labels (N,), 0 or 1.

    `others` are logits (M, 3) of images that show neither, of which `prior` are supposed for each of the N.
    """
    temperature, shift = _temperature_and_shift(logits[:, 1] - logits[:, 0], labels)
    if others is None or logits.shape[1] == 2:
        return Calibration(temperature, shift)
    return Calibration(temperature, shift, *_sigmoid(excess(logits), excess(others), prior))


def _smoothed(labels: Labels) -> Floats:
    """Labels smoothed as Platt (1999) proposes, so that a fit stays finite where no prediction is wrong."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    return np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def _temperature_and_shift(margins: Floats, labels: Labels) -> tuple[float, float]:
    targets = _smoothed(labels)

    def loss(point: Floats) -> float:
        scaled = (margins - point[1]) / np.exp(point[0])
        return float(np.mean(np.logaddexp(0, scaled) - targets * scaled))

    logarithm, shift = _best(loss)
    return float(np.exp(logarithm)), shift


def _sigmoid(inside: Floats, outside: Floats, prior: float) -> tuple[float, float]:
    values = np.concatenate([inside, outside])
    labels = np.repeat([0, 1], [len(inside), len(outside)])
    weights = np.repeat([1 / len(inside), prior / len(outside)], [len(inside), len(outside)])
    targets = _smoothed(labels)

    def loss(point: Floats) -> float:
        scaled = np.exp(point[0]) * values + point[1]
        return float(np.sum(weights * (np.logaddexp(0, scaled) - targets * scaled)))

    logarithm, offset = _best(loss)
    return float(np.exp(logarithm)), offset


def _best(loss: Callable[[Floats], float]) -> tuple[float, float]:
    """Return the two parameters of the smallest loss."""
    fitted = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-7}).x
    return float(fitted[0]), float(fitted[1])

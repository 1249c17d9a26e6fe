"""The baseline that drift is measured against: baseline.json, next to the model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.files import write_atomically
from monitoring.errors import BaselineNotFound, BaselineTooSmall, UnreadableBaseline
from monitoring.image_statistics import NAMES, ImageStatistics
from monitoring.window import InferenceWindow

FORMAT = 2
MIN_PREDICTIONS = 100
MAX_VALUES = 2000
_DIGITS = 5
_MIN_MAGNITUDE = -100
Floats = npt.NDArray[np.float64]


def rounded(values: npt.ArrayLike) -> Floats:
    """Round to the file's precision, so that values compared with it have the same ties."""
    array = np.asarray(values, np.float64)
    magnitude = np.floor(np.log10(np.abs(array), where=array != 0, out=np.zeros_like(array)))
    scale = 10.0 ** (_DIGITS - 1 - np.maximum(magnitude, _MIN_MAGNITUDE))
    result: Floats = np.round(array * scale) / scale
    return result


@dataclass(frozen=True)
class CalibrationReference:
    """Accuracy and mean confidence of ``n`` predictions with known labels.

    ``variance`` is that of the accuracy, if each prediction is right with the probability it states. The predictions
    may be others than those in the baseline: many, such as those of cross-validation, give a better reference.
    """

    n: int
    accuracy: float
    mean_confidence: float
    variance: float

    @classmethod
    def of(cls, confidences: npt.ArrayLike, accuracy: float) -> "CalibrationReference":
        """Return the reference of predictions with these confidences (N,) and this accuracy."""
        values = np.asarray(confidences, np.float64)
        variance = float((values * (1 - values)).sum()) / len(values) ** 2
        return cls(len(values), accuracy, float(values.mean()), variance)

    @property
    def offset(self) -> float:
        """Accuracy minus mean confidence."""
        return self.accuracy - self.mean_confidence


@dataclass(frozen=True)
class Baseline:
    """Predictions for images that the model was not trained on, and statistics of images.

    ``confidences`` (N,); ``labels`` counts the predictions of each label; ``images`` has each statistic of M images, by
    name, (M,); these may be more images than have predictions. ``source`` describes the images, and ``model`` is the
    SHA-256 of the network, where known.
    """

    source: str
    n: int
    confidences: Floats
    labels: tuple[int, int]
    images: Mapping[str, Floats]
    reference: CalibrationReference | None = None
    model: str | None = None

    @classmethod
    def of(
        cls,
        confidences: npt.ArrayLike,
        labels: Sequence[int] | npt.NDArray[Any],
        images: Sequence[ImageStatistics],
        *,
        source: str,
        reference: CalibrationReference | None = None,
        model: str | None = None,
    ) -> "Baseline":
        """Return the baseline of N predictions: confidences (N,), predicted labels (N,), statistics of M images.

        Of more than 2,000 predictions or images an evenly spread 2,000 are kept. Raises BaselineTooSmall.
        """
        values = np.asarray(confidences, np.float64)
        if len(values) < MIN_PREDICTIONS:
            raise BaselineTooSmall(len(values), MIN_PREDICTIONS)
        second = int(np.asarray(labels).sum())
        columns = {name: _spread(np.sort([getattr(image, name) for image in images])) for name in NAMES}
        return cls(
            source=source,
            n=len(values),
            confidences=_spread(np.sort(values)),
            labels=(len(values) - second, second),
            images=columns if images else {},
            reference=reference,
            model=model,
        )

    @classmethod
    def of_window(cls, window: InferenceWindow, *, source: str) -> "Baseline":
        """Return the baseline of captured inferences; their true labels are not known."""
        return cls.of(window.confidences, window.labels, window.images, source=source)

    def encode(self) -> bytes:
        """Return the content of the file."""
        body = {
            "format": FORMAT,
            "source": self.source,
            "n": self.n,
            "known": asdict(self.reference) if self.reference else None,
            "model": self.model,
            "labels": list(self.labels),
            "confidences": self.confidences.tolist(),
            "images": {name: values.tolist() for name, values in self.images.items()},
        }
        return json.dumps(body).encode() + b"\n"

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_atomically(path, self.encode())

    @classmethod
    def decode(cls, content: bytes, location: str) -> "Baseline":
        """Read the content of the file at ``location``. Raises UnreadableBaseline."""
        try:
            body = json.loads(content)
            if body["format"] != FORMAT:
                raise UnreadableBaseline(location, f"format {body['format']!r}, not {FORMAT}")
            first, second = body["labels"]
            return cls(
                source=str(body["source"]),
                n=int(body["n"]),
                confidences=_column(body["confidences"]),
                labels=(int(first), int(second)),
                images={name: _column(body["images"][name]) for name in NAMES if name in body["images"]},
                reference=CalibrationReference(**body["known"]) if body["known"] else None,
                model=body.get("model"),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableBaseline(location, str(error)) from error

    @classmethod
    def read(cls, path: Path) -> "Baseline":
        """Read the file. Raises BaselineNotFound or UnreadableBaseline."""
        try:
            return cls.decode(path.read_bytes(), str(path))
        except FileNotFoundError:
            raise BaselineNotFound(str(path)) from None


def _column(values: Any) -> Floats:
    column = np.asarray(values, np.float64)
    if column.ndim != 1 or not len(column) or not np.isfinite(column).all():
        raise ValueError("a column is not a list of finite numbers")
    return column


def _spread(values: npt.NDArray[Any]) -> Floats:
    """Return up to ``MAX_VALUES`` of sorted values, evenly spread, rounded."""
    if len(values) > MAX_VALUES:
        values = values[np.linspace(0, len(values) - 1, MAX_VALUES).round().astype(int)]
    return rounded(values)

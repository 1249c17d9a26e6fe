"""What the model's answers and its images looked like when all was well: baseline.json, beside the model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.errors import BaselineMissing, BaselineTooSmall, BaselineUnreadable
from monitoring.image_statistics import NAMES, ImageStatistics
from monitoring.window import Window

FORMAT = 2
LEAST = 100
MOST = 2000
_DIGITS = 5
_LEAST_MAGNITUDE = -100
Floats = npt.NDArray[np.float64]


def rounded(values: npt.ArrayLike) -> Floats:
    """Round to what the file keeps, so that what is compared with it has the same ties."""
    array = np.asarray(values, np.float64)
    magnitude = np.floor(np.log10(np.abs(array), where=array != 0, out=np.zeros_like(array)))
    scale = 10.0 ** (_DIGITS - 1 - np.maximum(magnitude, _LEAST_MAGNITUDE))
    result: Floats = np.round(array * scale) / scale
    return result


@dataclass(frozen=True)
class Known:
    """How ``n`` answers did whose truth was known: the share that was right, and their mean confidence.

    ``variance`` is that of the share, were each answer right with its confidence. The answers need not be those whose
    confidences are compared: what calibration leaves over is learnt best from many, such as those of cross-validation.
    """

    n: int
    accuracy: float
    mean_confidence: float
    variance: float

    @classmethod
    def of(cls, confidences: npt.ArrayLike, accuracy: float) -> "Known":
        """Return it for answers of these confidences (N,), a share of which was right."""
        answers = np.asarray(confidences, np.float64)
        variance = float((answers * (1 - answers)).sum()) / len(answers) ** 2
        return cls(len(answers), accuracy, float(answers.mean()), variance)

    @property
    def offset(self) -> float:
        """By how much the answers were right more often than they said."""
        return self.accuracy - self.mean_confidence


@dataclass(frozen=True)
class Baseline:
    """Answers that the model gave for images that it had not been trained on, and what images looked like.

    ``confidences`` (N,); ``labels`` counts the answers of each label; ``images`` has the statistics of
    up to M images by name, (M,) each; they may be of more images than were answered. ``source`` says in words what was
    answered, and ``model`` is the SHA-256 of the network that answered, where known.
    """

    source: str
    n: int
    confidences: Floats
    labels: tuple[int, int]
    images: Mapping[str, Floats]
    known: Known | None = None
    model: str | None = None

    @classmethod
    def of(
        cls,
        confidences: npt.ArrayLike,
        labels: Sequence[int] | npt.NDArray[Any],
        images: Sequence[ImageStatistics],
        *,
        source: str,
        known: Known | None = None,
        model: str | None = None,
    ) -> "Baseline":
        """Return the baseline of N answers: confidences (N,), predicted labels (N,), statistics of M images.

        Of more than 2,000 answers or images an evenly spread 2,000 are kept. Raises BaselineTooSmall.
        """
        answers = np.asarray(confidences, np.float64)
        if len(answers) < LEAST:
            raise BaselineTooSmall(len(answers), LEAST)
        second = int(np.asarray(labels).sum())
        columns = {name: _spread(np.sort([getattr(image, name) for image in images])) for name in NAMES}
        return cls(
            source=source,
            n=len(answers),
            confidences=_spread(np.sort(answers)),
            labels=(len(answers) - second, second),
            images=columns if images else {},
            known=known,
            model=model,
        )

    @classmethod
    def of_window(cls, window: Window, *, source: str) -> "Baseline":
        """Return the baseline of what was captured in a quiet time; whether the answers were right is not known."""
        return cls.of(window.confidences, window.labels, window.images, source=source)

    def encode(self) -> bytes:
        """Return what the file holds."""
        body = {
            "format": FORMAT,
            "source": self.source,
            "n": self.n,
            "known": asdict(self.known) if self.known else None,
            "model": self.model,
            "labels": list(self.labels),
            "confidences": self.confidences.tolist(),
            "images": {name: values.tolist() for name, values in self.images.items()},
        }
        return json.dumps(body).encode() + b"\n"

    def write(self, path: Path) -> None:
        """Write the file, in one go."""
        partial = path.with_name(f"{path.name}.partial")
        partial.write_bytes(self.encode())
        partial.replace(path)

    @classmethod
    def decode(cls, content: bytes, where: str) -> "Baseline":
        """Read what a file holds that lies at ``where``. Raises BaselineUnreadable."""
        try:
            body = json.loads(content)
            if body["format"] != FORMAT:
                raise BaselineUnreadable(where, f"format {body['format']!r}, not {FORMAT}")
            first, second = body["labels"]
            return cls(
                source=str(body["source"]),
                n=int(body["n"]),
                confidences=_column(body["confidences"]),
                labels=(int(first), int(second)),
                images={name: _column(body["images"][name]) for name in NAMES if name in body["images"]},
                known=Known(**body["known"]) if body["known"] else None,
                model=body.get("model"),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BaselineUnreadable(where, str(error)) from error

    @classmethod
    def read(cls, path: Path) -> "Baseline":
        """Read the file. Raises BaselineMissing or BaselineUnreadable."""
        try:
            return cls.decode(path.read_bytes(), str(path))
        except FileNotFoundError:
            raise BaselineMissing(str(path)) from None


def _column(values: Any) -> Floats:
    column = np.asarray(values, np.float64)
    if column.ndim != 1 or not len(column) or not np.isfinite(column).all():
        raise ValueError("a column that is no list of numbers")
    return column


def _spread(values: npt.NDArray[Any]) -> Floats:
    """Up to ``MOST`` of sorted values, evenly spread, rounded."""
    if len(values) > MOST:
        values = values[np.linspace(0, len(values) - 1, MOST).round().astype(int)]
    return rounded(values)

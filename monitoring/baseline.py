"""What the model's answers and its images looked like when all was well: baseline.json, beside the model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.errors import BaselineMissing, BaselineTooSmall, BaselineUnreadable
from monitoring.images import NAMES, ImageStatistics
from monitoring.window import Window

FORMAT = 1
LEAST = 100
MOST = 2000
_DIGITS = 5
Floats = npt.NDArray[np.float64]


def rounded(values: npt.ArrayLike) -> Floats:
    """Round to what the file keeps, so that what is compared with it has the same ties."""
    array = np.asarray(values, np.float64)
    return np.array([float(f"{value:.{_DIGITS}g}") for value in array], np.float64)


@dataclass(frozen=True)
class Baseline:
    """Answers that the model gave for images that it had not been trained on, and what these images looked like.

    ``confidences`` (N,); ``labels`` counts bicycles and motorcycles among the answers; ``images`` has the statistics of
    up to N images by name, (M,) each. ``accuracy`` is the share of right answers where the truth was known. ``source``
    says in words what was answered, and ``model`` is the SHA-256 of the network that answered, where known.
    """

    source: str
    n: int
    confidences: Floats
    labels: tuple[int, int]
    images: Mapping[str, Floats]
    accuracy: float | None = None
    model: str | None = None

    @classmethod
    def of(
        cls,
        confidences: npt.ArrayLike,
        labels: Sequence[int] | npt.NDArray[Any],
        images: Sequence[ImageStatistics],
        *,
        source: str,
        accuracy: float | None = None,
        model: str | None = None,
    ) -> "Baseline":
        """Return the baseline of N answers: confidences (N,), predicted labels (N,), statistics of their images.

        Of more than 2,000 answers or images an evenly spread 2,000 are kept. Raises BaselineTooSmall.
        """
        answers = np.asarray(confidences, np.float64)
        if len(answers) < LEAST:
            raise BaselineTooSmall(len(answers), LEAST)
        motorcycles = int(np.asarray(labels).sum())
        columns = {name: _spread(np.sort([getattr(image, name) for image in images])) for name in NAMES}
        return cls(
            source=source,
            n=len(answers),
            confidences=_spread(np.sort(answers)),
            labels=(len(answers) - motorcycles, motorcycles),
            images=columns if images else {},
            accuracy=accuracy,
            model=model,
        )

    @classmethod
    def of_window(cls, window: Window, *, source: str) -> "Baseline":
        """Return the baseline of what was captured in a quiet time; whether the answers were right is not known."""
        return cls.of(window.confidences, window.labels, window.images, source=source)

    def write(self, path: Path) -> None:
        """Write the file, in one go."""
        body = {
            "format": FORMAT,
            "source": self.source,
            "n": self.n,
            "accuracy": self.accuracy,
            "model": self.model,
            "labels": list(self.labels),
            "confidences": self.confidences.tolist(),
            "images": {name: values.tolist() for name, values in self.images.items()},
        }
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(json.dumps(body) + "\n", "utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Baseline":
        """Read the file. Raises BaselineMissing or BaselineUnreadable."""
        try:
            body = json.loads(path.read_bytes())
            if body["format"] != FORMAT:
                raise BaselineUnreadable(path, f"format {body['format']!r}, not {FORMAT}")
            bicycles, motorcycles = body["labels"]
            return cls(
                source=str(body["source"]),
                n=int(body["n"]),
                confidences=_column(body["confidences"]),
                labels=(int(bicycles), int(motorcycles)),
                images={name: _column(body["images"][name]) for name in NAMES if name in body["images"]},
                accuracy=body.get("accuracy"),
                model=body.get("model"),
            )
        except FileNotFoundError:
            raise BaselineMissing(path) from None
        except (ValueError, KeyError, TypeError) as error:
            raise BaselineUnreadable(path, str(error)) from error


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

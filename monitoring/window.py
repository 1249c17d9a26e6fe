"""The inferences of a time range, as columns of a few bytes each, and the statistics of a sample of the images."""

import random
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitoring.capture.record import CapturedInference
from monitoring.image_statistics import NAMES, ImageStatistics, measure

IMAGE_SAMPLE = 2000


@dataclass(frozen=True)
class InferenceWindow:
    """N inferences: ``times`` (seconds since 1970), ``confidences`` and predicted ``labels`` (0 or 1), all (N,).

    ``images`` are the statistics of a uniform sample of at most 2,000 images; ``unreadable`` of the sample could not be
    decoded.
    """

    times: npt.NDArray[np.float64]
    confidences: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int8]
    images: tuple[ImageStatistics, ...] = ()
    unreadable: int = 0

    def __len__(self) -> int:
        return len(self.times)

    @classmethod
    def of(
        cls, inferences: Iterable[CapturedInference], *, sample: int = IMAGE_SAMPLE, seed: int = 0
    ) -> "InferenceWindow":
        """Collect inferences as they stream by; an image is decoded only where it enters the sample."""
        columns = _Columns(sample, random.Random(seed))  # noqa: S311 - a sample, no secret
        for inference in inferences:
            columns.add(inference)
        return cls(
            times=np.array(columns.times, np.float64),
            confidences=np.array(columns.confidences, np.float64),
            labels=np.array(columns.labels, np.int8),
            images=tuple(image for image in columns.images if image is not None),
            unreadable=sum(image is None for image in columns.images),
        )

    def statistic(self, name: str) -> npt.NDArray[np.float64]:
        """Return one of the image statistics for every image of the sample."""
        if name not in NAMES:
            raise KeyError(name)
        return np.array([getattr(image, name) for image in self.images], np.float64)


@dataclass
class _Columns:
    sample: int
    generator: random.Random
    times: "array[float]" = field(default_factory=lambda: array("d"))
    confidences: "array[float]" = field(default_factory=lambda: array("d"))
    labels: "array[int]" = field(default_factory=lambda: array("b"))
    images: list[ImageStatistics | None] = field(default_factory=list)
    with_image: int = 0

    def add(self, inference: CapturedInference) -> None:
        self.times.append(inference.time.timestamp())
        self.confidences.append(inference.confidence)
        self.labels.append(inference.label)
        if inference.body is not None:
            self._sample(inference)

    def _sample(self, inference: CapturedInference) -> None:
        """Reservoir sampling (Vitter 1985, algorithm R)."""
        self.with_image += 1
        count = self.with_image
        slot = count - 1 if count <= self.sample else self.generator.randrange(count)
        if slot < self.sample:
            self.images[slot : slot + 1] = [measure(inference.image or b"")]

"""A labelled image, and the protocol of its sources."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test", "other", "other_test"]
SPLITS: tuple[Split, ...] = ("train", "test")
OTHER_SPLITS: tuple[Split, ...] = ("other", "other_test")
"""Images of none of the dataset's classes, to train and to test with; not every source has them."""


class LabelledImage(NamedTuple):
    """One image and its origin. ``name`` comes from the source and is not a safe file name."""

    split: Split
    row: int
    name: str
    label: int
    pixels: NDArray[np.uint8]  # (height, width, 3), RGB


class LabelledImages(NamedTuple):
    """An iterator over images, and how many it yields."""

    total: int
    iterator: Iterator[LabelledImage]


class ImageSource(Protocol):
    """A dataset that can be staged."""

    @property
    def dataset(self) -> str:
        """The dataset's name, under which results are reported."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The class name of each label, from 0."""
        ...

    def fingerprint(self) -> str:
        """Return a text that differs where the images differ."""
        ...

    def images(self) -> LabelledImages:
        """Return every image. Raises a DataError."""
        ...

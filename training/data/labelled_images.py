"""A labelled picture, and what can be staged: anything that yields them."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")


class Picture(NamedTuple):
    """One picture and where it comes from. ``name`` is the source's own and not to be trusted as a file name."""

    split: Split
    row: int
    name: str
    label: int
    pixels: NDArray[np.uint8]  # (height, width, 3), RGB


class Pictures(NamedTuple):
    """Pictures on their way, and how many there will be."""

    total: int
    each: Iterator[Picture]


class Source(Protocol):
    """Where pictures come from."""

    @property
    def dataset(self) -> str:
        """The name under which results of these pictures are reported."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each label, from 0."""
        ...

    def fingerprint(self) -> str:
        """Return text that is the same only where the pictures are the same."""
        ...

    def pictures(self) -> Pictures:
        """Return every picture. Raises a DataError where that fails."""
        ...

"""A sample of an archive's rows of other classes: images of neither."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Row = tuple[int, NDArray[np.uint8]]


class OtherRows:
    """At most ``limit`` rows: the first ones of each class, as evenly as the archive allows, in bounded memory."""

    def __init__(self, excluded: Sequence[int], limit: int) -> None:
        self._excluded, self._limit, self._count = excluded, limit, 0
        self._kept: dict[int, list[Row]] = {}

    def add(self, block: NDArray[np.uint8], labels: Sequence[int], first: int) -> None:
        """Take rows from ``block``, which begins at row ``first``. A row of one value shows nothing and is skipped."""
        if not self._limit:
            return
        fitting = ~np.isin(labels, self._excluded) & (block != block[:, :1]).any(axis=1)
        for index in np.flatnonzero(fitting).tolist():
            self._take(labels[index], first + index, block[index])

    def _take(self, label: int, row: int, pixels: NDArray[np.uint8]) -> None:
        own = self._kept.setdefault(label, [])
        if self._count < self._limit:
            self._count += 1
        else:
            longest = max(self._kept.values(), key=len)
            if len(own) + 1 >= len(longest):
                return
            longest.pop()
        own.append((row, pixels.copy()))

    def rows(self) -> list[Row]:
        """Return row numbers and pixels, in the archive's order."""
        return sorted((row for kept in self._kept.values() for row in kept), key=lambda row: row[0])

"""Random choices that come out the same on every machine and in every Python release."""

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class SeededRandom:
    """Choices fixed by a key. Only ``random()`` and ``randbytes()`` feed them, whose sequences are stable."""

    def __init__(self, *key: int | str) -> None:
        self._random = random.Random("/".join(map(str, key)))  # noqa: S311 - images, not secrets

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""
        return self._random.random() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from ``low`` to ``high``, all equally likely."""
        return low + (high - low) * self._random.random()

    def near(self, centre: float, spread: float) -> float:
        """Return a number within ``spread`` of ``centre``, near ones more likely."""
        roll = self._random.random
        return centre + spread * (roll() + roll() + roll() - 1.5) / 1.5

    def count(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return low + int((high - low + 1) * self._random.random())

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of ``choices``."""
        return choices[int(len(choices) * self._random.random())]

    def weighted(self, choices: dict[T, float]) -> T:
        """Return a key of ``choices``, as often as its weight says."""
        roll = self._random.random() * sum(choices.values())
        for choice, weight in choices.items():
            roll -= weight
            if roll < 0:
                return choice
        return next(iter(choices))

    def noise(self, *shape: int) -> NDArray[np.uint8]:
        """Return an array of random bytes."""
        size = int(np.prod(shape))
        return np.frombuffer(self._random.randbytes(size), dtype=np.uint8).reshape(shape)

"""Draws a sample of labelled images."""

from collections.abc import Mapping, Sequence

import numpy as np


def sample(keys: Sequence[str], labels: Mapping[str, int], count: int, seed: int = 0) -> list[str]:
    """Return up to ``count`` keys, alternating between the classes, shuffled within each as ``seed`` says."""
    shuffled = [keys[i] for i in np.random.default_rng(seed).permutation(len(keys))]
    classes = [[key for key in shuffled if labels[key] == label] for label in sorted(set(labels.values()))]
    longest = max(map(len, classes), default=0)
    turns = [members[turn] for turn in range(longest) for members in classes if turn < len(members)]
    return turns[:count]

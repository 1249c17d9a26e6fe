"""The two labels that the pipeline tells apart, in the order of the model's probabilities."""

import re
from collections.abc import Sequence

from core.errors import InvalidLabels

Labels = tuple[str, str]
VEHICLES: Labels = ("bicycle", "motorcycle")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")


def parse_labels(text: str) -> Labels:
    """Read ``first,second``. Raises InvalidLabels."""
    names = text.split(",")
    if len(names) != 2 or names[0] == names[1] or not all(map(_NAME.fullmatch, names)):
        raise InvalidLabels(text)
    return names[0], names[1]


def dataset_name(labels: Sequence[str]) -> str:
    """Return the name of the dataset that CIFAR-100's images of these two classes make."""
    return "cifar100" if tuple(labels) == VEHICLES else f"cifar100-{'-'.join(labels)}"

"""What the pipeline tells apart: two names, in the order of the model's probabilities."""

import re
from collections.abc import Sequence

from scones.errors import LabelsMalformed

Labels = tuple[str, str]
VEHICLES: Labels = ("bicycle", "motorcycle")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")


def parse(text: str) -> Labels:
    """Read ``first,second``. Raises LabelsMalformed."""
    names = text.split(",")
    if len(names) != 2 or names[0] == names[1] or not all(map(_NAME.fullmatch, names)):
        raise LabelsMalformed(text)
    return names[0], names[1]


def dataset(labels: Sequence[str]) -> str:
    """Return the name of the data set that CIFAR-100's images of these classes make."""
    return "cifar100" if tuple(labels) == VEHICLES else f"cifar100-{'-'.join(labels)}"

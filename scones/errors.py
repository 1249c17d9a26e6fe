"""What the door itself refuses.

SconesError
├── UnknownTarget
└── ImagesMissing
"""

from collections.abc import Sequence


class SconesError(Exception):
    """Base of the door's errors."""


class ImagesMissing(SconesError):
    """No image was given, or the folder given has none."""

    def __init__(self, given: str) -> None:
        super().__init__(f"no images in {given}: give files, folders or s3://bucket/key addresses")


class UnknownTarget(SconesError):
    """SCONES_TARGET names nothing that there is."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"SCONES_TARGET is '{name}': it must be one of {', '.join(known)}")

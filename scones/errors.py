"""What the door itself refuses.

SconesError
├── ImagesMissing
└── ImageUnreadable
"""


class SconesError(Exception):
    """Base of the door's errors."""


class ImagesMissing(SconesError):
    """No image was given, or the folder given has none."""

    def __init__(self, given: str) -> None:
        super().__init__(f"no images in {given}: give files, folders or s3://bucket/key addresses")


class ImageUnreadable(SconesError):
    """A file named on the command line cannot be read."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")

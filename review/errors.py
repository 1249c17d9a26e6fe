"""What review refuses.

ReviewError
├── InvalidLabel
├── ImageNotInReview
├── AmbiguousImage
├── InvalidTicket
└── UnreadableImage
"""

from collections.abc import Sequence

from core.errors import SconesError


class ReviewError(SconesError):
    """Base of the errors of review."""


class InvalidLabel(ReviewError):
    """The text is not KEY=LABEL."""

    def __init__(self, text: str, known: Sequence[str]) -> None:
        super().__init__(f"'{text}' is not a label: write KEY=LABEL with one of {', '.join(known)}")


class ImageNotInReview(ReviewError):
    """The review queue has no message about the image."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(
            f"the review queue has no image {', '.join(keys)}: `scones review` lists those that it has; "
            "one that somebody else is reviewing comes back in a few minutes"
        )


class AmbiguousImage(ReviewError):
    """Two buckets have an image of that key in the review queue."""

    def __init__(self, key: str, uris: Sequence[str]) -> None:
        super().__init__(f"'{key}' names {len(uris)} images: label one by its URI, {' or '.join(uris)}")


class UnreadableImage(ReviewError):
    """An image in the review queue can no longer be read."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"{uri} cannot be read ({reason}): label it 'neither' to remove it from the review queue")


class InvalidTicket(ReviewError):
    """The page sent a ticket that this server did not sign."""

    def __init__(self) -> None:
        super().__init__("the ticket is not valid: reload the page")

"""What a reviewer does: take the next image, label it, skip it, take a label back.

Every step can be repeated. A label is first recorded in the manifest, then in the training channel's list, then the
message is deleted; a process that dies in between leaves a message that is received again and then completed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.labels import Labels
from core.s3_uris import S3Uri
from review import labelled_dataset
from review.labels import NEITHER
from review.manifest import Decision, ReviewManifest
from review.queued_images import read_image
from review.review_queue import SKIPPED_SECONDS, ReviewQueue
from review.tickets import ReviewItem


@dataclass(frozen=True)
class Reviewing:
    """The queue, the images and the manifest of one stack, by clients of S3 and SQS."""

    s3: Any
    queue: ReviewQueue
    manifest: ReviewManifest
    bucket: str
    labels: Labels
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def next(self) -> ReviewItem | None:
        """Reserve an image that nobody has decided about, or None if there is none."""
        while (item := self.queue.receive()) is not None:
            decided = self.manifest.find(item.uri, item.execution, item.sent) if item.uri else None
            if decided is None:
                return item
            self._complete(item, decided)
        return None

    def label(self, item: ReviewItem, name: str) -> Decision | None:
        """Record a label, and return the decision that counts; None for a message that names no image.

        Raises UnreadableImage if an image that shows a class cannot be copied.
        """
        if item.uri is None:
            self.queue.delete(item)
            return None
        number = None if name == NEITHER else self.labels.index(name)
        file = None
        if number is not None:
            file = labelled_dataset.add_image(self.s3, self.bucket, self.content(item.uri), str(item.uri))
        time = self.now().isoformat(timespec="seconds")
        decided = self.manifest.record(Decision(item.uri, item.execution, name, number, file, time))
        self._complete(item, decided)
        return decided

    def skip(self, item: ReviewItem) -> None:
        """Leave the image to others, or for later."""
        self.queue.extend([item], SKIPPED_SECONDS)

    def undo(self, item: ReviewItem) -> ReviewItem:
        """Take a label back, and return the item to be labelled again."""
        if item.uri is not None:
            self.queue.send_again(item)
            removed = self.manifest.remove(item.uri, item.execution)
            if removed is not None and removed.file and not self.manifest.has_file(removed.file):
                labelled_dataset.remove_label(self.s3, self.bucket, removed.file)
        return ReviewItem(item.message_id, None, item.body)

    def content(self, uri: S3Uri) -> bytes:
        """Return an image's bytes. Raises UnreadableImage."""
        return read_image(self.s3, uri)

    def _complete(self, item: ReviewItem, decided: Decision) -> None:
        if decided.label is not None and decided.file is not None:
            labelled_dataset.record_labels(self.s3, self.bucket, {decided.file: decided.label})
        self.queue.delete(item)

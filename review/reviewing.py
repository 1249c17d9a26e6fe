"""What a reviewer does: take the next image, label it, skip it, take a label back.

Every step can be repeated. A label is first recorded in the manifest, then in the training channel's list, then the
message is deleted; a process that dies in between leaves a message that is received again and then completed.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from core import queues
from core.labels import Labels
from core.queues import Message
from review import labelled_dataset
from review.labelled_dataset import read_image
from review.labels import NEITHER
from review.manifest import Decision, ReviewManifest

RESERVED_SECONDS = 60
"""How long after the last request of the page that shows it a message becomes visible again."""
SKIPPED_SECONDS = 120
UNDONE_SECONDS = 300


@dataclass(frozen=True)
class Reviewing:
    """The review queue, the images and the manifest of one stack, by clients of S3 and SQS."""

    s3: Any
    sqs: Any
    queue_url: str
    manifest: ReviewManifest
    bucket: str
    labels: Labels
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def next(self) -> Message | None:
        """Reserve the message of an image that nobody has decided about, or None if there is none."""
        while received := queues.receive_some(self.sqs, self.queue_url, 1, RESERVED_SECONDS, wait_seconds=1):
            message = received[0]
            decided = self.manifest.find(message.image, message.execution, message.sent) if message.image else None
            if decided is None:
                return message
            self._complete([message], [decided])
        return None

    def label(self, labels: Sequence[tuple[Message, str]]) -> list[Decision]:
        """Record labels, and return the decisions that count, one for each image that the messages name.

        Raises UnreadableImage if an image that shows a class cannot be copied; nothing is recorded then.
        """
        shown = {message.image for message, name in labels if message.image and name != NEITHER}
        files = {
            uri: labelled_dataset.add_image(self.s3, self.bucket, read_image(self.s3, uri), str(uri))
            for uri in sorted(shown)
        }
        time = self.now().isoformat(timespec="seconds")
        decided = self.manifest.record(
            Decision(
                message.image,
                message.execution,
                name,
                None if name == NEITHER else self.labels.index(name),
                None if name == NEITHER else files[message.image],
                time,
            )
            for message, name in labels
            if message.image
        )
        self._complete([message for message, _ in labels], decided)
        return decided

    def skip(self, message: Message) -> None:
        """Leave the image to others, or for later."""
        self.reserve([message], SKIPPED_SECONDS)

    def reserve(self, messages: Iterable[Message], seconds: int = RESERVED_SECONDS) -> None:
        """Keep messages from others for ``seconds`` from now."""
        queues.set_visibility(self.sqs, self.queue_url, messages, seconds)

    def undo(self, message: Message) -> Message:
        """Take a label back, and return the message to be labelled again.

        It is sent again: somebody gets it unless a new label comes first.
        """
        if message.image is not None:
            body = json.dumps(message.body)
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body, DelaySeconds=UNDONE_SECONDS)
            removed = self.manifest.remove(message.image, message.execution)
            if removed is not None and removed.file and not self.manifest.has_file(removed.file):
                labelled_dataset.remove_label(self.s3, self.bucket, removed.file)
        return replace(message, receipt=None)

    def left(self) -> int:
        """Return about how many messages are left."""
        return queues.length(self.sqs, self.queue_url)

    def _complete(self, messages: Sequence[Message], decided: Iterable[Decision]) -> None:
        """Write what was decided to the training channel's list, and delete the messages.

        One whose receipt has expired is received again, and then deleted.
        """
        classes = {each.file: each.label for each in decided if each.file is not None and each.label is not None}
        if classes:
            labelled_dataset.record_labels(self.s3, self.bucket, classes)
        queues.delete(self.sqs, self.queue_url, messages)

"""The review queue without the review page: writes its images to a contact sheet, and records labels from a file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from core import queues
from core.files import write_atomically
from core.queues import Message
from core.s3_uris import S3Uri
from core.thumbnails import data_uri
from orchestration.stack_outputs import StackOutputs
from review import contact_sheet
from review.contact_sheet import Card
from review.errors import UnreadableImage
from review.failures import explain
from review.labelled_dataset import read_image
from review.labels import match_images
from review.manifest import ReviewManifest
from review.reviewing import Reviewing
from scones import console


def reviewing(sqs: Any, s3: Any, outputs: StackOutputs) -> Reviewing:
    """Return what labels the images of a stack's review queue."""
    manifest = ReviewManifest(s3, outputs.data_bucket)
    return Reviewing(s3, sqs, outputs.review_queue_url, manifest, outputs.data_bucket, outputs.labels)


def write_page(sqs: Any, s3: Any, outputs: StackOutputs, path: Path, limit: int) -> list[Card]:
    """Write the page of up to ``limit`` images into a folder that exists, and release every message."""
    cards = []
    with _received(sqs, outputs.review_queue_url) as messages, console.progress("fetching images") as advance:
        for image, about in islice(_by_image(messages).items(), limit):
            cards.append(_card(s3, image, about[-1]))
            advance(len(cards), len(messages))
    write_atomically(path, contact_sheet.render(cards, outputs.labels))
    return cards


def record_labels(sqs: Any, s3: Any, outputs: StackOutputs, labels: Mapping[str, str]) -> tuple[int, int]:
    """Label images by their keys or URIs, and release the other messages.

    Returns how many images were labelled and how many messages are left. A call that dies in between is completed by
    the same call again. Raises ImageNotInReview or AmbiguousImage before anything is written, and UnreadableImage where
    an image cannot be copied.
    """
    with _received(sqs, outputs.review_queue_url) as messages:
        waiting = _by_image(messages)
        decided = match_images(labels, waiting.keys())
        labelled = [(message, label) for uri, label in decided.items() for message in waiting[uri]]
        if labelled:
            reviewing(sqs, s3, outputs).label(labelled)
        done = {message.message_id for message, _ in labelled}
        messages[:] = [message for message in messages if message.message_id not in done]
    return len(decided), len(messages)


@contextmanager
def _received(sqs: Any, queue_url: str) -> Iterator[list[Message]]:
    """Receive all messages, which hides them from others; those still in the list at the end are released."""
    messages: list[Message] = []
    try:
        messages.extend(queues.receive(sqs, queue_url))
        yield messages
    finally:
        queues.release(sqs, queue_url, messages)


def _by_image(messages: list[Message]) -> dict[S3Uri, list[Message]]:
    """Return the messages by the image to be reviewed, without those that name none."""
    by_image: dict[S3Uri, list[Message]] = {}
    for message in messages:
        if message.image is not None:
            by_image.setdefault(message.image, []).append(message)
    return by_image


def _card(s3: Any, image: S3Uri, message: Message) -> Card:
    try:
        content = read_image(s3, image)
    except UnreadableImage:
        content = None
    thumbnail = data_uri(content, contact_sheet.THUMBNAIL)
    return Card(image.bucket, image.key, message.inferences, explain(message), thumbnail, message.probably_neither)

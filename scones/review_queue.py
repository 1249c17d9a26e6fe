"""The review queue without the review page: writes its images to a contact sheet, and records labels from a file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from core.files import write_atomically
from core.s3_uris import S3Uri
from core.thumbnails import data_uri
from orchestration import queues
from orchestration.executions import S3Image
from orchestration.history import error_message
from orchestration.queues import Message
from review import contact_sheet, labelled_dataset
from review.contact_sheet import Card
from review.errors import UnreadableImage
from review.labels import NEITHER, match_images
from review.queued_images import read_image
from scones import console
from scones.stack_outputs import StackOutputs


def write_page(sqs: Any, s3: Any, outputs: StackOutputs, path: Path, limit: int) -> list[Card]:
    """Write the page of up to ``limit`` images, and release every message."""
    cards = []
    with _received(sqs, outputs.review_queue_url) as messages, console.progress("fetching images") as advance:
        for image, about in islice(queues.messages_by_image(messages).items(), limit):
            cards.append(_card(s3, image, about[-1]))
            advance(len(cards), len(messages))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, contact_sheet.render(cards, outputs.labels))
    return cards


def record_labels(sqs: Any, s3: Any, outputs: StackOutputs, labels: Mapping[str, str]) -> tuple[int, int]:
    """Add labelled images to the dataset of reviewed images, then delete their messages, then release the rest.

    Returns how many images were labelled and how many messages are left. A call that dies in between is completed by
    the same call again. Raises ImageNotInReview or AmbiguousImage before anything is written, and UnreadableImage where
    an image cannot be copied.
    """
    queue_url, bucket = outputs.review_queue_url, outputs.data_bucket
    with _received(sqs, queue_url) as messages:
        waiting = {_uri(image): about for image, about in queues.messages_by_image(messages).items()}
        decided = match_images(labels, waiting.keys())
        classes: dict[str, int] = {}
        for uri, label in decided.items():
            if label != NEITHER:
                file = labelled_dataset.add_image(s3, bucket, read_image(s3, uri), str(uri))
                classes[file] = outputs.labels.index(label)
        if classes:
            labelled_dataset.record_labels(s3, bucket, classes)
        done = [message for uri in decided for message in waiting[uri]]
        queues.delete(sqs, queue_url, done)
        messages[:] = [message for message in messages if message not in done]
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


def _card(s3: Any, image: S3Image, message: Message) -> Card:
    try:
        content = read_image(s3, _uri(image))
    except UnreadableImage:
        content = None
    inferences = message.body.get("inferences")
    numbers = tuple(float(value) for value in inferences) if isinstance(inferences, list) else ()
    cause = error_message(str(message.body.get("cause", ""))) or ""
    return Card(image.s3_bucket, image.s3_key, numbers, cause, data_uri(content, contact_sheet.THUMBNAIL))


def _uri(image: S3Image) -> S3Uri:
    return S3Uri(image.s3_bucket, image.s3_key)

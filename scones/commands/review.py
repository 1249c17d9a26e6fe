"""`scones review`: shows people the images that the model was not sure of, and takes their answers down."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from core.labels import Labels
from monitoring.thumbnails import data_uri
from orchestration import queues
from orchestration.executions import Image
from orchestration.history import error_message
from orchestration.queues import Message
from review import contact_sheet
from review.contact_sheet import Card
from scones import aws, console, labelled_dataset, options, pipeline
from scones.errors import ImageAmbiguous, ImageGone, ImageNotInReview, LabelMalformed

NEITHER = "neither"
MAX_BYTES = 32 * 1024 * 1024


def review(
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label", help="What an image in the queue shows: KEY=bicycle, KEY=motorcycle or KEY=neither; repeatable."
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="A file of such lines, as the contact sheet makes them.")
    ] = None,
    sheet: Annotated[Path, typer.Option("--sheet", help="Where the contact sheet goes.")] = Path("out/review.html"),
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many images the sheet shows at most.")] = 200,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List the images below the threshold in a contact sheet, or take down what people say they are.

    Looking removes nothing from the queue. A labelled image goes to datasets/reviewed in the stack's bucket, ready as a
    training channel, and leaves the queue; one that is `neither` only leaves the queue.

    Example: `scones review`, then `scones review --label incoming/a.png=bicycle`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    lines = [*(label or []), *(labels.read_text("utf-8").splitlines() if labels else [])]
    answers = parse_labels(lines, deployed.labels)
    sqs, s3 = session.client("sqs"), session.client("s3")
    decided = bool(label or labels)
    told = take_down(sqs, s3, deployed, answers) if decided else lay_out(sqs, s3, deployed, sheet, limit)
    console.tell(
        told if as_json else {name: value for name, value in told.items() if name != "listed"}, as_json=as_json
    )


def parse_labels(lines: list[str], labels: Labels) -> dict[str, str]:
    """Return the label by key; a later line wins. Raises LabelMalformed."""
    found = {}
    for line in filter(str.strip, lines):
        key, separator, name = line.strip().rpartition("=")
        if not (separator and key and name in {*labels, NEITHER}):
            raise LabelMalformed(line.strip(), [*labels, NEITHER])
        found[key] = name
    return found


def lay_out(sqs: Any, s3: Any, deployed: pipeline.Deployed, sheet: Path, limit: int) -> dict[str, Any]:
    """Write the contact sheet of up to ``limit`` images, and give every message back."""
    cards = []
    with _held(sqs, deployed.review_queue_url) as messages, console.progress("fetching images") as advance:
        for image, about in islice(queues.messages_by_image(messages).items(), limit):
            cards.append(_card(s3, image, about[-1]))
            advance(len(cards), len(messages))
    sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet.write_text(contact_sheet.render(cards, deployed.labels), encoding="utf-8")
    listed = [{"s3_key": card.s3_key, "inferences": card.inferences, "cause": card.cause} for card in cards]
    return {"images": len(cards), "sheet": str(sheet), "listed": listed}


def take_down(sqs: Any, s3: Any, deployed: pipeline.Deployed, answers: Mapping[str, str]) -> dict[str, Any]:
    """Write each answer to the training channel, then delete the messages about that image, then give the rest back.

    A call that dies in between is completed by the same call again. Raises ImageNotInReview or ImageAmbiguous, before
    anything is written, where a key is not in the queue or in two buckets, and ImageGone where an image cannot be
    copied.
    """
    queue_url, bucket = deployed.review_queue_url, deployed.data_bucket
    with _held(sqs, queue_url) as messages:
        waiting = queues.messages_by_image(messages)
        by_key: dict[str, list[Image]] = {}
        for image in waiting:
            by_key.setdefault(image.s3_key, []).append(image)
            by_key.setdefault(f"s3://{image.s3_bucket}/{image.s3_key}", []).append(image)
        missing = [key for key in answers if key not in by_key]
        if missing:
            raise ImageNotInReview(missing)
        for key in answers:
            if len(by_key[key]) > 1:
                raise ImageAmbiguous(key, [f"s3://{image.s3_bucket}/{image.s3_key}" for image in by_key[key]])
        decided = {image: answer for key, answer in answers.items() for image in by_key[key]}
        labels: dict[str, int] = {}
        for image, answer in decided.items():
            if answer != NEITHER:
                source = f"s3://{image.s3_bucket}/{image.s3_key}"
                name = labelled_dataset.keep_image(s3, bucket, _content(s3, image), source)
                labels[name] = deployed.labels.index(answer)
        if labels:
            labelled_dataset.record(s3, bucket, labels)
        done = [message for image in decided for message in waiting[image]]
        queues.delete(sqs, queue_url, done)
        messages[:] = [message for message in messages if message not in done]
    return {"labelled": len(decided), "left": len(messages), "manifest": f"s3://{bucket}/{labelled_dataset.LISTING}"}


@contextmanager
def _held(sqs: Any, queue_url: str) -> Iterator[list[Message]]:
    """Take all messages out of others' sight; those still in the list at the end are given back, whatever happens."""
    messages: list[Message] = []
    try:
        messages.extend(queues.receive(sqs, queue_url))
        yield messages
    finally:
        queues.release(sqs, queue_url, messages)


def _card(s3: Any, image: Image, message: Message) -> Card:
    try:
        content = _content(s3, image)
    except ImageGone:
        content = None
    said = message.body.get("inferences")
    numbers = tuple(float(value) for value in said) if isinstance(said, list) else ()
    cause = error_message(str(message.body.get("cause", ""))) or ""
    return Card(image.s3_bucket, image.s3_key, numbers, cause, data_uri(content, contact_sheet.THUMBNAIL))


def _content(s3: Any, image: Image) -> bytes:
    try:
        answer = s3.get_object(Bucket=image.s3_bucket, Key=image.s3_key)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise ImageGone(f"s3://{image.s3_bucket}/{image.s3_key}", code) from error
    if answer["ContentLength"] > MAX_BYTES:
        raise ImageGone(f"s3://{image.s3_bucket}/{image.s3_key}", f"{answer['ContentLength']} bytes")
    content: bytes = answer["Body"].read()
    return content

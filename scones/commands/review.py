"""`scones review`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.defaults import REVIEW_PORT
from core.files import ensure_writable_file
from review.labelled_dataset import LISTING
from review.labels import parse_label_lines, read_label_file
from scones import labelling, review_server
from scones.context import CommandContext
from scones.options import with_context


@with_context("target", "stack", "home", "as_json")
def review(
    context: CommandContext,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="Label of an image: KEY=bicycle, KEY=motorcycle or KEY=neither; repeatable."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="File with labels: JSON lines, as saved from the page, CSV, or KEY=LABEL lines."),
    ] = None,
    sheet: Annotated[Path, typer.Option("--sheet", help="File to write the page to.")] = Path("out/review.html"),
    limit: Annotated[int, typer.Option("--limit", min=1, help="Maximum number of images on the page.")] = 200,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the review page, which records labels at once.")
    ] = False,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; if it is not loopback, the page requires a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = REVIEW_PORT,
) -> None:
    """Write or serve a page with the images in the review queue, or record labels.

    Writing the page does not change the queue. A label copies the image to datasets/reviewed in the stack's bucket, a
    training channel, and deletes its messages; the label `neither` copies nothing.

    With `--serve`, several people can label images in their browsers until the command is interrupted.

    Example: `scones review`, then `scones review --label incoming/a.png=bicycle`
    """
    if serve:
        review_server.serve(context, host, port)
        return
    outputs, sqs, s3 = context.outputs, context.client("sqs"), context.client("s3")
    if label or labels:
        by_name = parse_label_lines(label or (), outputs.labels)
        if labels:
            by_name |= read_label_file(labels.read_bytes(), str(labels), outputs.labels)
        labelled, remaining = labelling.record_labels(sqs, s3, outputs, by_name)
        context.print_values(
            {"labelled": labelled, "left": remaining, "manifest": f"s3://{outputs.data_bucket}/{LISTING}"}
        )
        return
    ensure_writable_file(sheet)
    cards = labelling.write_page(sqs, s3, outputs, sheet, limit)
    values: dict[str, Any] = {"images": len(cards), "sheet": str(sheet)}
    if context.as_json:
        values["listed"] = [
            {"s3_key": card.s3_key, "inferences": card.inferences, "probably_neither": card.probably_neither,
             "cause": card.cause}
            for card in cards
        ]  # fmt: skip
    context.print_values(values)

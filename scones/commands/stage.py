"""`scones stage`."""

from typing import Annotated

import typer

from scones import console, staged_datasets
from scones.context import CommandContext
from scones.options import SyntheticOption, with_context
from training.data.upscaled_images import UpscaledSource

OTHERS = 4000
"""Default number of images of other classes."""


@with_context("archive", "target", "stack", "home", "as_json")
def stage(
    context: CommandContext,
    synthetic: SyntheticOption = False,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=32,
            max=512,
            help="Scale images up to this width and height, for example 224 for builtin-transfer.",
        ),
    ] = None,
    others: Annotated[
        int,
        typer.Option("--others", min=0, help="Number of images of other classes, which the network learns to reject."),
    ] = OTHERS,
) -> None:
    """Convert a dataset to PNG and .lst files and upload them to the stack's bucket.

    A second run uploads nothing.
    """
    bucket = context.outputs.data_bucket
    with console.progress("staging") as advance:
        source = staged_datasets.choose_source(
            context.settings, advance, synthetic=synthetic, labels=context.outputs.labels, others=others
        )
        if size is not None:
            source = UpscaledSource(source, size)
        dataset = staged_datasets.upload_dataset(source, context.session, context.settings, bucket, advance)
    context.print_values(
        {
            "dataset": dataset.name,
            "train": dataset.train,
            "test": len(dataset.labels),
            "other": dataset.other,
            "uploaded": dataset.uploaded,
            "skipped": dataset.skipped,
            "address": f"s3://{bucket}/{dataset.prefix}/",
        }
    )

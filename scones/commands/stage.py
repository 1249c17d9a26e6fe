"""`scones stage`: pictures to the stack's bucket."""

from typing import Annotated

import typer

from scones import aws, console, options, pipeline

OTHERS = 4000
LOCAL_IMAGE = "scones/inference:local"


def stage(
    archive: options.ArchiveOption = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Render vehicles even where CIFAR-100 is at hand.")
    ] = False,
    size: Annotated[
        int | None,
        typer.Option("--size", min=32, max=512, help="Scale up to this side, e.g. 224 for builtin-transfer."),
    ] = None,
    others: Annotated[
        int,
        typer.Option("--others", min=0, help="Images of other classes, from which training learns what neither is."),
    ] = OTHERS,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write images and .lst files and bring them to the stack's bucket. A second run uploads nothing."""
    settings = options.settings(target, stack_name, home, archive)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    bucket = deployed.data_bucket
    with console.progress("staging") as advance:
        source = pipeline.choose_source(settings, advance, synthetic=synthetic, labels=deployed.labels, others=others)
        if size is not None:
            from training.data.upscaled_images import UpscaledSource  # noqa: PLC0415

            source = UpscaledSource(source, size)
        dataset = pipeline.stage(source, session, settings, bucket, advance)
    found = {"dataset": dataset.name, "train": dataset.train, "test": len(dataset.labels), "uploaded": dataset.uploaded}
    found |= {"skipped": dataset.skipped, "address": f"s3://{bucket}/{dataset.prefix}/"}
    console.tell(found, as_json=as_json)

"""`scones run`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.config import Config

from orchestration import executions
from orchestration.executions import Outcome, S3Image
from scones import console, image_inputs
from scones.context import CommandContext
from scones.errors import INTERRUPTED
from scones.image_inputs import SKIPPED, SkippedInput
from scones.options import ThresholdOption, with_context
from scones.views.executions import live_outcomes, outcome_table, show_counts, show_skipped

# An Express workflow responds when it has ended, which may take five minutes.
EXPRESS_CONFIG = Config(read_timeout=310)


@with_context("target", "stack", "home", "as_json")
def run(
    context: CommandContext,
    images: Annotated[
        list[str],
        typer.Argument(help="Files, folders of images, or s3://bucket/key URIs.", metavar="IMAGE…|s3://…"),
    ],
    threshold: ThresholdOption = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Concurrent executions.")] = 8,
) -> None:
    """Classify images, each in its own execution.

    Files in a folder are recognized as images by their content; others are skipped and listed with the reason. Exit
    code 1 if an image was not classified.

    Example: `scones run photos/ --threshold 0.9`
    """
    outputs = context.outputs
    run_name = f"run-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    with console.progress("uploading") as advance:
        inputs = image_inputs.collect(context.client("s3"), outputs.data_bucket, run_name, images, advance)
    try:
        with live_outcomes(len(inputs.images), inputs.names) as on_outcome:
            outcomes = executions.run(
                context.client("stepfunctions", config=EXPRESS_CONFIG),
                outputs.state_machine_arn,
                inputs.images,
                run_name=run_name,
                threshold=threshold,
                concurrency=concurrency,
                on_outcome=on_outcome,
            )
    except KeyboardInterrupt:
        console.note(f"started executions continue; their names begin with {run_name}")
        raise typer.Exit(INTERRUPTED) from None
    if context.as_json:
        console.print_json([*(_json(outcome, inputs.names) for outcome in outcomes), *map(_skipped, inputs.skipped)])
    else:
        console.out.print(outcome_table(outcomes, inputs.names))
        show_skipped(inputs.skipped)
    show_counts(outcomes, inputs.skipped)
    if any(outcome.status != "SUCCEEDED" for outcome in outcomes):
        raise typer.Exit(1)


def _json(outcome: Outcome, names: Mapping[S3Image, str]) -> dict[str, Any]:
    return asdict(outcome) | {"message": outcome.message, "name": names[outcome.image]}


def _skipped(entry: SkippedInput) -> dict[str, Any]:
    """Return a skipped input in the form of an outcome."""
    absent = dict.fromkeys(("image", "execution_arn", "output", "error", "cause"))
    return absent | {"status": SKIPPED, "milliseconds": 0.0, "message": entry.reason, "name": entry.name}

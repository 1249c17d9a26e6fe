"""`scones batch`."""

import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.files import ensure_writable_folder
from orchestration import batch as batches
from orchestration.batch import Batch, KeySet
from scones import batch_inputs, batch_results, console
from scones.batch_results import BatchSummary
from scones.context import CommandContext
from scones.errors import INTERRUPTED, BatchUnclear, ResultsNotWritten
from scones.options import ThresholdOption, with_context
from scones.views.executions import show_skipped


@with_context("target", "stack", "home", "as_json")
def batch(
    context: CommandContext,
    source: Annotated[
        str | None,
        typer.Argument(
            help="A folder, s3://bucket/prefix, or a manifest, local or in S3: JSON, JSON lines, CSV or S3 Inventory.",
            metavar="DIR|s3://…|MANIFEST",
        ),
    ] = None,
    attach: Annotated[
        str | None, typer.Option("--attach", help="Follow the batch with this execution ARN instead of starting one.")
    ] = None,
    threshold: ThresholdOption = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", min=1, max=10_000, help="Concurrent executions [default: the stack's]."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for results.json and results.csv.")] = Path("out"),
    stop_on_interrupt: Annotated[
        bool, typer.Option("--stop-on-interrupt", help="Stop the batch on Ctrl-C, not only the command.")
    ] = False,
) -> None:
    """Classify many images in one execution: a folder, a prefix or a manifest.

    A manifest is a JSON list, JSON lines or CSV of keys, or of objects with `s3_key` (and `s3_bucket`) or `source-ref`,
    or S3 Inventory's manifest.json.

    Writes results.json and results.csv. Exit code 0 only if every image has a result: a label, the review queue, or an
    error.

    Example: `scones batch photos/ --json`
    """
    if (source is None) == (attach is None):
        raise BatchUnclear
    ensure_writable_folder(out)
    begun = time.monotonic()
    arn = attach or _start(context, str(source), threshold, concurrency)
    finished = _follow(context, arn, stop_on_interrupt=stop_on_interrupt)
    seconds = finished.seconds if attach else time.monotonic() - begun
    s3 = context.client("s3")
    skipped = batch_inputs.read_skipped(s3, finished.input)
    folder = out / arn.rpartition(":")[2]
    try:
        summary, keys = batch_results.collect(s3, finished, folder, seconds, skipped)
    except OSError as error:
        raise ResultsNotWritten(arn, folder, error) from error
    expected = KeySet()
    for key in batches.expected_keys(s3, finished.input):
        expected.add(key)
    _print(summary, as_json=context.as_json)
    if not context.as_json:
        show_skipped(skipped)
    if keys != expected:
        console.warn(
            "not every image is accounted for",
            f"{expected.count} were to be classified, {keys.count} have a result; "
            "objects that were added or removed during the batch count, too",
            "red",
        )
        raise typer.Exit(1)


def _start(context: CommandContext, source: str, threshold: float | None, concurrency: int | None) -> str:
    outputs, name = context.outputs, f"batch-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    payload = batch_inputs.prepare(context.client("s3"), outputs, name, source)
    payload |= {} if threshold is None else {"threshold": threshold}
    payload |= {} if concurrency is None else {"max_concurrency": concurrency}
    return batches.start(context.client("stepfunctions"), outputs.batch_state_machine_arn, payload, name)


def _follow(context: CommandContext, arn: str, *, stop_on_interrupt: bool) -> Batch:
    """Follow a batch with a bar; an interruption stops it only with ``--stop-on-interrupt``."""
    s3, stepfunctions = context.client("s3"), context.client("stepfunctions")
    console.note(f"batch {arn}")
    try:
        expected = sum(1 for _ in batches.expected_keys(s3, batches.batch_input(stepfunctions, arn)))
        with console.progress("classifying") as advance:
            return batches.wait(
                stepfunctions,
                arn,
                lambda progress: advance(progress.ended, max(expected, progress.total)),
                replace(batches.WAITER, poll_seconds=0.5),
            )
    except KeyboardInterrupt:
        if stop_on_interrupt:
            batches.stop(stepfunctions, arn)
            console.note("the batch is stopped; results so far are kept")
        else:
            console.note("the batch continues; follow it with")
            console.note(f"  scones batch --attach {arn}")
        raise typer.Exit(INTERRUPTED) from None


def _print(summary: BatchSummary, *, as_json: bool) -> None:
    values: dict[str, Any] = asdict(summary)
    if as_json:
        console.print_json(values)
        return
    for name in ("outcomes", "labels", "skipped"):
        values[name] = console.counts(values[name])
    values["throughput"] = f"{summary.images / summary.seconds:.1f} images a second" if summary.seconds else ""
    console.print_values(values)

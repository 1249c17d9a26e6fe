"""`scones monitor`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.files import ensure_writable_folder
from monitoring import cloudwatch_metrics
from monitoring.drift import Verdict
from scones import console, options
from scones.captured_inferences import monitor_captures, monitor_endpoint
from scones.context import CommandContext
from scones.options import with_context
from scones.time_ranges import TimeRange
from scones.views import monitoring as view

EXIT_CODES = {Verdict.UNKNOWN: 0, Verdict.STABLE: 0, Verdict.WATCH: 3, Verdict.DRIFTED: 4}


@with_context("target", "stack", "home", "as_json")
def monitor(  # noqa: PLR0913, PLR0917 - a command's options
    context: CommandContext,
    since: options.SinceOption = None,
    start: options.FromOption = None,
    end: options.ToOption = None,
    endpoint: options.EndpointOption = None,
    captures: Annotated[
        str | None,
        typer.Option(
            "--captures",
            metavar="SOURCE",
            help="Folder or s3://bucket/prefix with captures, instead of an endpoint's; compare them with --baseline.",
        ),
    ] = None,
    baseline: options.BaselineOption = None,
    threshold: options.ThresholdOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for monitor.json and the plots.")] = Path("out/monitor"),
    publish: Annotated[bool, typer.Option("--publish", help="Publish metrics to CloudWatch.")] = False,
) -> None:
    """Compare captured inferences with the baseline.

    Also plots the inferences over time. Exit codes: 0 stable or unknown, 3 watch, 4 drifted, 1 error.

    Example: `scones monitor --since 24h --publish`
    """
    time_range = TimeRange.parse(since, start, end, datetime.now(UTC))
    ensure_writable_folder(out)
    with console.progress("reading captures"):
        if captures:
            if endpoint or publish:
                raise typer.BadParameter("cannot be combined with --endpoint or --publish", param_hint="--captures")
            labels = context.settings.labels
            result = monitor_captures(
                lambda: context.client("s3"),
                captures,
                time_range,
                baseline=baseline,
                threshold=threshold,
                labels=labels,
            )
        else:
            result = monitor_endpoint(
                context.session, context.settings, time_range, endpoint=endpoint, baseline=baseline, threshold=threshold
            )
    with console.progress("drawing"):
        view.write_files(result, out)
    if publish:
        at, cloudwatch = time_range.until or datetime.now(UTC), context.client("cloudwatch")
        count = cloudwatch_metrics.publish(cloudwatch, result.endpoint, result.drift, result.timeline, at)
        console.note(f"published {count} metrics in the namespace {cloudwatch_metrics.NAMESPACE}")
    if context.as_json:
        console.print_json(result.to_dict())
    else:
        view.show(result, out)
    raise typer.Exit(EXIT_CODES[result.drift.verdict])

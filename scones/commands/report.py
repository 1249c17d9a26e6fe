"""`scones report`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.files import ensure_writable_folder
from monitoring.report.page import write as write_page
from scones import console, options, recent_executions, report_content
from scones.context import CommandContext
from scones.options import with_context
from scones.staged_datasets import labels_by_key
from scones.time_ranges import TimeRange


@with_context("target", "stack", "home", "as_json")
def report(
    context: CommandContext,
    since: options.SinceOption = None,
    start: options.FromOption = None,
    end: options.ToOption = None,
    executions: Annotated[int, typer.Option("--executions", min=0, help="Number of recent executions.")] = 200,
    baseline: options.BaselineOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for report.html and its plots.")] = Path("out"),
) -> None:
    """Write an HTML report on recent executions and captured inferences.

    Also writes the plots as PNG and SVG.

    Example: `scones report --since 2h --out out`
    """
    settings, outputs = context.settings, context.outputs
    time_range = TimeRange.parse(since, start, end, datetime.now(UTC))
    ensure_writable_folder(out)
    stepfunctions = context.client("stepfunctions")
    with console.progress("reading executions") as advance:
        machine = outputs.state_machine_arn
        outcomes = recent_executions.recent(stepfunctions, machine, executions) if executions else []
        histories = recent_executions.read_histories(
            stepfunctions, [outcome.execution_arn for outcome in outcomes], advance
        )
        read_image = recent_executions.image_reader(context.client("s3"), settings.datasets)
        images = recent_executions.reported(outcomes, histories, labels_by_key(settings.datasets), read_image)
    with console.progress("reading captured inferences"):
        title = f"{settings.stack} on {settings.target}"
        content = report_content.gather(context.session, settings, outputs, title, images, time_range, baseline)
    with console.progress("drawing"):
        written = write_page(content, out, "report")
    if context.as_json:
        console.print_json({"report": str(written.page), "plots": [str(file) for file in written.files]})
    else:
        console.print_line(str(written.page))

"""`scones run`: one image or many, each as its own execution, with a table that grows as they end."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from botocore.config import Config
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestration import executions
from orchestration.executions import Outcome
from scones import aws, console, image_inputs, options, pipeline

SHOWN = 12
INTERRUPTED = 130
# An Express workflow answers when it has ended, which may take five minutes.
PATIENT = Config(read_timeout=310)

ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", min=0.5, max=1, help="The least confidence that passes, this once [default: the stack's]."
    ),
]


def run(
    images: Annotated[
        list[str],
        typer.Argument(help="Files, folders of images, or s3://bucket/key addresses.", metavar="IMAGE…|s3://…"),
    ],
    threshold: ThresholdOption = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Executions under way at once.")] = 8,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Send images through the workflow, each as its own execution. Exit code 1 when an image was not classified.

    Example: `scones run photos/ --threshold 0.9`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    run_name = f"run-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    with console.progress("uploading") as advance:
        inputs = image_inputs.images(session.client("s3"), deployed.data_bucket, run_name, images, advance)
    try:
        with live(len(inputs)) as show:
            outcomes = executions.run(
                session.client("stepfunctions", config=PATIENT),
                deployed.state_machine_arn,
                inputs,
                run_name=run_name,
                threshold=threshold,
                concurrency=concurrency,
                on_outcome=show,
            )
    except KeyboardInterrupt:
        console.err.print(f"what was started goes on, under names that begin with {run_name}", highlight=False)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        console.print_json([asdict(outcome) | {"message": outcome.message} for outcome in outcomes])
    else:
        console.out.print(table(outcomes))
    if any(outcome.status != "SUCCEEDED" for outcome in outcomes):
        raise typer.Exit(1)


@contextmanager
def live(total: int) -> Iterator[Callable[[Outcome], None]]:
    """Show the latest outcomes and their counts on standard error while there are more to come."""
    latest: deque[Outcome] = deque(maxlen=SHOWN)
    counts: Counter[str] = Counter()
    with Live(console=console.err, transient=True, refresh_per_second=8) as screen:

        def show(outcome: Outcome) -> None:
            latest.append(outcome)
            counts[outcome.error or outcome.status] += 1
            told = ", ".join(f"{name} {count}" for name, count in counts.most_common())
            screen.update(Group(table(list(latest)), Text(f"{counts.total()} of {total}: {told}")))

        yield show


def table(outcomes: list[Outcome]) -> Table:
    """Return the outcomes as a table."""
    rows = Table("image", "label", "confidence", "ms")
    for outcome in outcomes:
        name = console.escape(outcome.image.s3_key.rsplit("/", 1)[-1])
        duration = f"{outcome.milliseconds:.0f}"
        if outcome.output:
            rows.add_row(name, f"[green]{outcome.output['label']}[/]", f"{outcome.output['confidence']:.4f}", duration)
        else:
            error = console.escape(outcome.error or outcome.status)
            rows.add_row(name, f"[red]{error}[/]", console.escape(outcome.message or ""), duration)
    return rows

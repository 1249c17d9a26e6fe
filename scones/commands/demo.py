"""`scones demo`."""

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from core.files import ensure_writable_folder
from emulation.processes import background
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from scones import console, environment_lifecycle
from scones.context import CommandContext
from scones.options import SyntheticOption, with_context
from scones.settings import Settings
from scones.stopwatch import Stopwatch

_SLOW_IMPORTS = ("scones.demo_run", "monitoring.report.page", "sagemaker.core.resources")


@with_context("archive", "home", "as_json", local=True)
def demo(
    context: CommandContext,
    images: Annotated[int, typer.Option("--images", min=2, max=10_000, help="Number of test images.")] = 100,
    synthetic: SyntheticOption = False,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Concurrent executions.")] = 4,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running; `scones down` stops it.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for summary.json, report.html and the plots.")] = Path(
        "out"
    ),
) -> None:
    """Run held-out images, five of neither class and four invalid ones through the whole pipeline, locally.

    Writes a report. Exit code 1 if an image has no outcome.
    """
    ensure_writable_folder(out)
    settings, watch = context.settings, Stopwatch()
    with watch.step("total"), _environment(settings, watch, keep=keep) as state:
        # Importing these takes two seconds: do it while LocalStack starts.
        from scones import demo_run  # noqa: PLC0415
        from scones.views.demo import summary_panel  # noqa: PLC0415

        result = demo_run.run(context.session, settings, watch, demo_run.DemoOptions(images, concurrency, synthetic))
        with watch.step("report"), console.progress("drawing"):
            page = result.write_page(out)
    files = {
        "summary": str(out / "summary.json"),
        "logs": str(state.logs),
        "staged images": str(settings.datasets),
        "report": str(page),
    }
    summary = result.summary(watch.seconds, files)
    summary.write(out / "summary.json")
    if context.as_json:
        console.print_json(summary.to_dict())
    else:
        console.out.print(summary_panel(summary, result.content.threshold))
        console.print_line(str(page))
    if not summary.is_accounted_for:
        raise typer.Exit(1)


@contextmanager
def _environment(settings: Settings, watch: Stopwatch, *, keep: bool) -> Iterator[EnvironmentState]:
    """Use the environment that runs, and leave it running; otherwise start one, and stop it unless ``keep``."""
    threading.Thread(target=_import_early, daemon=True).start()
    running = background.status(settings.home).state
    options, progress = environment_lifecycle.options(settings), environment_lifecycle.show_progress
    if running is not None:
        yield running
    elif keep:
        with watch.step("up"):
            state = background.start_background(options, progress)
        yield state
        console.note("the environment keeps running: `scones status` shows its URLs, `scones down` stops it")
    else:
        environment = LocalEnvironment(options, progress)
        with watch.step("up"):
            state = environment.start()
        try:
            yield state
        finally:
            environment.stop()


def _import_early() -> None:
    for name in _SLOW_IMPORTS:
        importlib.import_module(name)

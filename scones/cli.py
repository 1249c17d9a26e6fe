"""The `scones` command.

The modules of its commands are imported when they are invoked: help and completion need only names and one line each.
"""

import importlib
import re
import signal
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from types import FrameType
from typing import Any

import typer
from typer.core import TyperGroup

from scones.console import warn
from scones.error_messages import EXPECTED, sentence

COMMANDS = {
    "demo": "Run held-out images, five of neither class and four invalid ones through the whole pipeline, locally.",
    "doctor": "Check whether this machine has what each mode needs.",
    "evaluate": "Measure the deployed endpoint's accuracy on labelled images.",
    "report": "Write an HTML report on recent executions and captured inferences.",
    "up": "Start the local environment: LocalStack, the SageMaker emulator, three Lambda functions.",
    "down": "Stop the local environment.",
    "status": "Show the local environment's components, their URLs and health; on AWS the stack's status.",
    "env": "Print the environment variables with which other AWS clients use the local environment.",
    "stage": "Convert a dataset to PNG and .lst files and upload them to the stack's bucket.",
    "train": "Train a model as a SageMaker training job and follow its log.",
    "rehearse": "Run the whole lifecycle of a model on a temporary endpoint.",
    "bootstrap": "Create the bootstrap stack: artifact bucket, ECR repositories, optional GitHub role.",
    "deploy": "Create or update the stack.",
    "rollback": "Return the stack to its template, images and parameters before the last change.",
    "destroy": "Delete the endpoint, the stack, its objects and its logs.",
    "cost": "Estimate the cost of classifying images on AWS.",
    "run": "Classify images, each in its own execution.",
    "show": "Show the history of one execution.",
    "batch": "Classify many images in one execution: a folder, a prefix or a manifest.",
    "review": "Write or serve a page with the images in the review queue, or record labels.",
    "redrive": "Start a new execution for each image in the failure queue.",
    "monitor": "Compare captured inferences with the baseline.",
    "baseline": "Create the baseline that `scones monitor` compares with.",
}
"""The one-line help of each command, in the order of `scones --help`."""

HIDDEN = {"keep": "Keep the stack deployed; docker-compose.yml runs this as its service `deploy`."}

ENDPOINT = {
    "deploy": "Create or update the endpoint and wait until it is in service.",
    "status": "Show the endpoint's status, model and configuration.",
    "invoke": "Invoke the endpoint with one image, without the workflow.",
    "delete": "Delete the endpoint, its configuration, model, scaling and schedule.",
}

IMAGES = {
    "build": "Build the four container images.",
    "push": "Build the container images that are missing in ECR, and push them.",
}

_PACKAGE = "scones.commands"
_EMPTY_OPTION = re.compile(r"(--[a-z-]+)=\s*")


class LazyGroup(TyperGroup):
    """A group whose commands are placeholders until one is invoked."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that ``args`` begin with, and import it unless it is a group."""
        name, command, rest = super().resolve_command(ctx, args)
        _refuse_empty(rest)
        if name is None or isinstance(command, TyperGroup):
            return name, command, rest
        return name, load(*_groups(ctx), name), rest


def _refuse_empty(words: list[str]) -> None:
    """Refuse empty values, as of a variable that is not set: a path of "" would be the working directory.

    Raises BadParameter.
    """
    for position, word in enumerate(words):
        option = _EMPTY_OPTION.fullmatch(word)
        if option or not word.strip():
            before = words[position - 1] if position else ""
            name = option[1] if option else before if before.startswith("--") else f"argument {position + 1}"
            raise typer.BadParameter(f"{name} is empty: write a value")


def load(*names: str) -> Any:
    """Import the command of these names, such as ``endpoint`` and ``deploy``, from the module of its name."""
    module = importlib.import_module(".".join((_PACKAGE, *names)))
    app = typer.Typer(rich_markup_mode="markdown", pretty_exceptions_enable=False, add_completion=False)
    app.command(names[-1])(getattr(module, names[-1]))
    return typer.main.get_command(app)


def register(app: typer.Typer, index: Mapping[str, str], *, hidden: bool = False) -> None:
    """Register a placeholder for each command of ``index``, which gives the one line of help by the command's name."""
    for name, line in index.items():
        app.command(name, short_help=line, help=line, hidden=hidden)(_placeholder)


def _placeholder() -> None:
    """Has no options: LazyGroup never invokes it."""


def _groups(ctx: Any) -> list[str]:
    """Return the names of the groups that lead to ``ctx``, without that of the program."""
    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, str(ctx.info_name))
        ctx = ctx.parent
    return names


app = typer.Typer(
    cls=LazyGroup,
    name="scones",
    help="Classify images as bicycle or motorcycle, on a laptop, in Docker and on AWS.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
endpoint = typer.Typer(cls=LazyGroup, help="Manage the SageMaker endpoint.", no_args_is_help=True)
images = typer.Typer(cls=LazyGroup, help="Build the container images and push them to ECR.", no_args_is_help=True)
register(app, COMMANDS)
register(app, HIDDEN, hidden=True)
register(endpoint, ENDPOINT)
register(images, IMAGES)
app.add_typer(endpoint, name="endpoint")
app.add_typer(images, name="images")


def main() -> None:
    """Run a command; every expected failure is one line on standard error and an exit code that is not 0."""
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding shows what it can
    try:
        app()
    except EXPECTED as error:
        warn("error", sentence(error), "red")
        sys.exit(1)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""Options that several commands share, and the settings they make."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from scones.settings import Settings, Target

TargetOption = Annotated[
    Target | None,
    typer.Option("--target", help="Where to act [env: SCONES_TARGET; default: local, which costs nothing]."),
]
StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack", help="Name of the stack, from which all names derive [env: SCONES_STACK; default: scones]."
    ),
]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="Folder for logs and staged data [env: SCONES_HOME; default: .scones in the checkout]."
    ),
]
ArchiveOption = Annotated[
    Path | None,
    typer.Option(
        "--archive", help="The CIFAR-100 python archive [env: SCONES_CIFAR100; default: cache, else download]."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask before creating or deleting what costs money.")
]


def settings(
    target: Target | None = None, stack: str | None = None, home: Path | None = None, archive: Path | None = None
) -> Settings:
    """Return the environment's settings with the command line's options over them."""
    found = Settings.from_environment()
    return replace(
        found,
        target=target or found.target,
        stack=stack or found.stack,
        home=home.absolute() if home else found.home,
        archive=archive.expanduser().absolute() if archive else found.archive,
    )


def confirm(question: str, chosen: Settings, *, yes: bool) -> None:
    """Ask before money is spent or data is lost on AWS; a local target costs and loses nothing."""
    if chosen.target is Target.AWS and not yes:
        typer.confirm(question, abort=True, err=True)

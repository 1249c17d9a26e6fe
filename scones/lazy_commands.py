"""Commands whose modules are imported when they are invoked: help and completion need only names and one line each."""

import importlib
import re
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

PACKAGE = "scones.commands"
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
    module = importlib.import_module(".".join((PACKAGE, *names)))
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

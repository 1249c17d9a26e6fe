"""Runs the command line as a user does: as a process, with its own home."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from scones.cli import app, load
from scones.settings import ROOT

# A proxy or a profile of the machine that runs the tests is none of theirs.
_UNSET = ("SCONES_TARGET", "SCONES_STACK", "SCONES_LABELS", "SCONES_CIFAR100", "AWS_PROFILE")


@dataclass(frozen=True)
class User:
    """Somebody with a home, who runs commands in ``folder``. ``environment`` is added to what the tests run in."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def run(self, *words: str, seconds: float = 600) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            command(words), env=self.variables(), cwd=self.folder, capture_output=True, text=True, check=False,
            timeout=seconds,
        )  # fmt: skip

    def start(self, *words: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a command, its output in pipes unless ``options`` say otherwise."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            command(words), env=self.variables(), cwd=self.folder, text=True, **{**pipes, **options}
        )

    def variables(self) -> dict[str, str]:
        """Return the whole environment of the commands."""
        inherited = {name: value for name, value in os.environ.items() if name not in _UNSET}
        own = {"SCONES_HOME": str(self.home), "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
        return {**inherited, **own, **self.environment}


def command(words: Sequence[str]) -> list[str]:
    """Return the command line of `scones` with these words."""
    return [sys.executable, "-W", "ignore", "-m", "scones", *words]


def command_names() -> list[tuple[str, ...]]:
    """Return the names of every command, those of a group after the group's, hidden ones included."""
    return list(_names(typer.main.get_command(app)))


def find_command(words: Sequence[str]) -> tuple[Any, list[str]]:
    """Return the command that ``words`` begin with, or the group, and the words that follow its names."""
    group: Any = typer.main.get_command(app)
    for position, word in enumerate(words):
        if word not in getattr(group, "commands", {}):
            return group, list(words[position:])
        if not hasattr(group.commands[word], "commands"):
            return load(*words[: position + 1]), list(words[position + 1 :])
        group = group.commands[word]
    return group, []


def _names(group: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    names: list[tuple[str, ...]] = []
    for name, each in group.commands.items():
        names += _names(each, (*prefix, name)) if hasattr(each, "commands") else [(*prefix, name)]
    return names

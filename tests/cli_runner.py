"""Runs the command line as a user does: as a process, with its own home."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
    server: "subprocess.Popen[str] | None" = None

    @contextmanager
    def with_server(self) -> Iterator["User"]:
        """Run each command in a fork of one interpreter, which spares its imports: see cli_server.py."""
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.cli_server"],
            env=self.variables(), cwd=self.folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as server:  # fmt: skip
            yield replace(self, server=server)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        if self.server is not None:
            return _run_in_fork(self.server, words)
        return subprocess.run(
            command(words), env=self.variables(), cwd=self.folder, capture_output=True, text=True, check=False
        )

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


def _run_in_fork(server: "subprocess.Popen[str]", words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("stdout", "stderr")]
        for file in files:
            file.touch()
        server.stdin.write(json.dumps([*map(str, files), *words]) + "\n")
        server.stdin.flush()
        code = server.stdout.readline()
        assert code, "the server has ended"
        return subprocess.CompletedProcess(words, int(code), *(file.read_text("utf-8", "replace") for file in files))


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

"""How an environment gets its packages: with uv in seconds, or with pip if there is no uv."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emulation.processes.python_environments import find_uv

Command = Sequence[str]


class Installer(Protocol):
    """Makes a virtual environment and installs locked requirements and one local project into it."""

    def commands(self, environment: Path, requirements: Path, project: Path) -> Sequence[Command]:
        """Return the programs to run, in order."""


@dataclass(frozen=True)
class Uv:
    """Installs with the uv at ``program``."""

    program: str

    def commands(self, environment: Path, requirements: Path, project: Path) -> Sequence[Command]:
        """Return the programs to run, in order."""
        python = str(environment / "bin" / "python")
        install = [self.program, "pip", "install", "--no-progress", "--python", python]
        return [
            [self.program, "venv", "--quiet", "--no-project", "--python", sys.executable, str(environment)],
            [*install, "--no-deps", "--require-hashes", "--requirements", str(requirements)],
            [*install, "--quiet", "--no-deps", "--no-build-isolation", str(project)],
        ]


class Pip:
    """Installs with the standard library's venv and the pip that it brings."""

    def commands(self, environment: Path, requirements: Path, project: Path) -> Sequence[Command]:
        """Return the programs to run, in order."""
        install = [
            str(environment / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--no-compile",
        ]
        return [
            [sys.executable, "-m", "venv", str(environment)],
            [*install, "--progress-bar", "off", "--no-deps", "--require-hashes", "--requirement", str(requirements)],
            [*install, "--quiet", "--no-deps", "--no-build-isolation", str(project)],
        ]


def find_installer() -> Installer:
    """Return uv where there is one, else pip."""
    program = find_uv()
    return Uv(program) if program else Pip()

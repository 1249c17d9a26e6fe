"""Somebody at a terminal, beside a stack that a test has started."""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

from bench.workflow.rig import Rig


@dataclass(frozen=True)
class User:
    """Runs the command in the home of a stack."""

    environment: dict[str, str]

    @classmethod
    def of(cls, rig: Rig) -> Self:
        """Return one whose home is that of ``rig``."""
        homes = {"SCONES_HOME": str(rig.settings.home), "SCONES_CACHE": str(rig.settings.cache)}
        return cls({**os.environ, **homes, "COLUMNS": "200"})

    def scones(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        command = [sys.executable, "-m", "scones", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)

"""Somebody at a terminal, beside a stack that a test has started."""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

from tests.integration.local_deployment import LocalDeployment


@dataclass(frozen=True)
class User:
    """Runs the command in the home of a stack."""

    environment: dict[str, str]

    @classmethod
    def of(cls, deployment: LocalDeployment) -> Self:
        """Return one whose home is that of ``deployment``."""
        homes = {"SCONES_HOME": str(deployment.settings.home), "SCONES_CACHE": str(deployment.settings.cache)}
        return cls({**os.environ, **homes, "COLUMNS": "200"})

    def scones(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        command = [sys.executable, "-m", "scones", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=600, check=False)

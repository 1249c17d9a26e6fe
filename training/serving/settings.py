"""The inference server's settings, and the environment variables in which SageMaker passes them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.labels import VEHICLES, Labels

PARENT_PIPE_VARIABLE: Final = "SCONES_PARENT_PIPE_FD"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model directory, the threads of one inference, and the labels that the model must have."""

    model_dir: Path
    threads: int = 1
    labels: Labels = VEHICLES

    def arguments(self) -> list[str]:
        """Return the settings as options of `serve`."""
        return [f"--model-dir={self.model_dir}", f"--threads={self.threads}", f"--labels={','.join(self.labels)}"]


@dataclass(frozen=True, slots=True)
class ContainerEnvironment:
    """What SageMaker and the deployment set in the container's environment, as texts that the command line checks."""

    port: str
    workers: str
    labels: str

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "ContainerEnvironment":
        """Read SAGEMAKER_BIND_TO_PORT, SAGEMAKER_MODEL_SERVER_WORKERS and LABELS."""
        return cls(
            port=environ.get("SAGEMAKER_BIND_TO_PORT", "8080"),
            workers=environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", str(os.cpu_count() or 1)),
            labels=environ.get("LABELS", ",".join(VEHICLES)),
        )


def take_parent_pipe() -> int | None:
    """Return the read end of the parent's pipe, if the parent passed one, and remove it from the environment.

    A child process does not have the descriptor.
    """
    descriptor = os.environ.pop(PARENT_PIPE_VARIABLE, None)
    return None if descriptor is None else int(descriptor)


def worker_environment(parent_pipe: int) -> dict[str, str]:
    """Return the environment of a worker that is to end with this process."""
    return {**os.environ, PARENT_PIPE_VARIABLE: str(parent_pipe)}

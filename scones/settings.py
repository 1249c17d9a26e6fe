"""The settings of a command, read from the environment: no other module of the CLI reads it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from core.defaults import REGION
from core.labels import Labels, parse_labels
from scones.errors import UnknownTarget

ROOT = Path(__file__).resolve().parent.parent


class Target(StrEnum):
    """Where commands act. The difference is endpoint URLs and credentials, never code."""

    LOCAL = "local"
    AWS = "aws"


@dataclass(frozen=True)
class Settings:
    """A command's surroundings.

    ``stack`` names the CloudFormation stack; every other name derives from it. ``home`` holds this checkout's state
    (logs, staged data), ``cache`` what all checkouts share (downloads, LocalStack's environment). ``archive`` is the
    CIFAR-100 archive, when one was named. ``labels`` are what a stack is to tell apart; None leaves that to the stack.
    """

    target: Target = Target.LOCAL
    stack: str = "scones"
    region: str | None = None
    home: Path = Path(".scones")
    cache: Path = Path("~/.cache/scones")
    archive: Path | None = None
    labels: Labels | None = None
    localstack_url: str = "http://127.0.0.1:4566"
    sagemaker_url: str = "http://127.0.0.1:8080"
    localstack_port: int | None = None
    sagemaker_port: int | None = None

    @property
    def default_endpoint_name(self) -> str:
        """The name that a new stack gives its SageMaker endpoint; an existing stack has its own among its outputs."""
        return f"{self.stack.lower()}-vehicles"

    @property
    def local_region(self) -> str:
        """The region of the local target, which has no profile that could name one."""
        return self.region or REGION

    @property
    def datasets(self) -> Path:
        """The folder of the datasets that were written to disk, one folder each."""
        return self.home / "data"

    @property
    def poll_seconds(self) -> float:
        """How often CloudFormation is polled: often where it is on this machine."""
        return 0.2 if self.target is Target.LOCAL else 3.0

    @property
    def services(self) -> Path:
        """The folder of the three Lambda services."""
        return ROOT / "services"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; whatever the environment does not name keeps its default."""
        archive = environ.get("SCONES_CIFAR100")
        return cls(
            target=_target(environ.get("SCONES_TARGET", Target.LOCAL)),
            stack=environ.get("SCONES_STACK", cls.stack),
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
            home=Path(environ.get("SCONES_HOME", ROOT / ".scones")).absolute(),
            cache=Path(environ.get("SCONES_CACHE") or platformdirs.user_cache_dir("scones")).absolute(),
            archive=Path(archive).expanduser().absolute() if archive else None,
            labels=parse_labels(environ["SCONES_LABELS"]) if environ.get("SCONES_LABELS") else None,
            localstack_url=_url(environ, "LOCALSTACK", cls.localstack_url),
            sagemaker_url=_url(environ, "SAGEMAKER", cls.sagemaker_url),
            localstack_port=_port(environ, "LOCALSTACK"),
            sagemaker_port=_port(environ, "SAGEMAKER"),
        )


def _url(environ: Mapping[str, str], part: str, default: str) -> str:
    """The address named, else this machine at the port that docker-compose.yml publishes, else the default."""
    port = environ.get(f"SCONES_{part}_PORT")
    return environ.get(f"SCONES_{part}_URL") or (f"http://127.0.0.1:{port}" if port else default)


def _port(environ: Mapping[str, str], part: str) -> int | None:
    """The port at which `scones up` is to start a part; None for the usual one, or any that is free."""
    port = environ.get(f"SCONES_{part}_PORT", "")
    return int(port) if port.isdecimal() else None


def _target(name: str) -> Target:
    try:
        return Target(name)
    except ValueError:
        raise UnknownTarget(name, list(Target)) from None

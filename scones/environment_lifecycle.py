"""The local environment: LocalStack, the SageMaker emulator and the Lambdas, as processes or as containers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulation.processes import background
from emulation.processes.child_processes import is_healthy
from emulation.processes.components import LOCALSTACK_HEALTH, SAGEMAKER_HEALTH
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from scones import console
from scones.settings import Settings


@dataclass(frozen=True)
class EnvironmentSummary:
    """What runs, by name: URLs, and whether each part is healthy. ``logs`` is a folder or a command that shows them."""

    running: bool
    health: Mapping[str, bool]
    addresses: Mapping[str, str]
    logs: Path | str


def create(
    settings: Settings, localstack_port: int | None = None, sagemaker_port: int | None = None
) -> LocalEnvironment:
    """Return the environment of the settings, not started."""
    return LocalEnvironment(**_arguments(settings, localstack_port, sagemaker_port))


def start_in_background(
    settings: Settings, localstack_port: int | None = None, sagemaker_port: int | None = None
) -> EnvironmentState:
    """Start it in the background and return when it is healthy."""
    return background.start_background(**_arguments(settings, localstack_port, sagemaker_port))


def running_state(settings: Settings) -> EnvironmentState | None:
    """Return what `scones up` started in this home, or None if nothing runs."""
    return background.status(settings.home).state


def read_status(settings: Settings) -> EnvironmentSummary:
    """Check what `scones up` started in this home, otherwise what responds at the URLs of the settings."""
    status = background.status(settings.home)
    if status.running:
        urls, logs = (addresses(status.state), status.state.logs) if status.state else ({}, settings.home)
        return EnvironmentSummary(True, status.health, urls, logs)
    urls = {"localstack": settings.localstack_url, "sagemaker": settings.sagemaker_url}
    paths = {"localstack": LOCALSTACK_HEALTH, "sagemaker": SAGEMAKER_HEALTH}
    health = {name: is_healthy(url + paths[name]) for name, url in urls.items()}
    if not any(health.values()):
        return EnvironmentSummary(False, {}, {}, "")
    return EnvironmentSummary(True, health, urls, "docker compose logs")


def addresses(state: EnvironmentState) -> dict[str, str]:
    """Return the URL of each part by its name."""
    return {"localstack": state.localstack_url, "sagemaker": state.sagemaker_url, **state.lambda_urls}


def _arguments(settings: Settings, localstack_port: int | None, sagemaker_port: int | None) -> dict[str, Any]:
    return {
        "home": settings.home,
        "cache": settings.cache,
        "services": settings.services,
        "region": settings.local_region,
        "localstack_port": localstack_port or settings.localstack_port,
        "sagemaker_port": sagemaker_port or settings.sagemaker_port,
        "progress": lambda line: console.note(line, "dim"),
    }

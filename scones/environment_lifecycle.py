"""The local environment: LocalStack, the SageMaker emulator and the Lambdas, as processes or as containers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emulation.processes import background
from emulation.processes.child_processes import is_healthy
from emulation.processes.components import LOCALSTACK_HEALTH, SAGEMAKER_HEALTH, EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState
from scones import console
from scones.settings import Settings


@dataclass(frozen=True)
class EnvironmentSummary:
    """What runs, by name: URLs, and whether each part is healthy. ``logs`` is a folder or a command that shows them."""

    running: bool
    health: Mapping[str, bool]
    addresses: Mapping[str, str]
    logs: Path | str


def options(
    settings: Settings, localstack_port: int | None = None, sagemaker_port: int | None = None
) -> EnvironmentOptions:
    """Return the options of the local environment that the settings describe; the ports take precedence."""
    return EnvironmentOptions(
        settings.home,
        settings.cache,
        settings.services,
        settings.local_region,
        localstack_port or settings.localstack_port,
        sagemaker_port or settings.sagemaker_port,
    )


def show_progress(line: str) -> None:
    """Print a line about the start."""
    console.note(line, "dim")


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

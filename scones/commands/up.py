"""`scones up`, `down` and `status`: the stand-in for AWS, as plain processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from emulation.processes import background
from emulation.processes.child_processes import answers
from emulation.processes.components import LOCALSTACK_HEALTH, SAGEMAKER_HEALTH
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from scones import console, options
from scones.settings import Settings

NOT_RUNNING = 3  # as `systemctl status` says it

LocalStackPort = Annotated[
    int | None, typer.Option("--localstack-port", help="Port of LocalStack [default: 4566, or a free one].")
]
SageMakerPort = Annotated[
    int | None, typer.Option("--sagemaker-port", help="Port of the SageMaker emulator [default: 8080, or a free one].")
]
Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Leave it running in the background; `scones down` ends it.")
]


def stack(
    settings: Settings, localstack_port: int | None = None, sagemaker_port: int | None = None
) -> LocalEnvironment:
    """The stack of plain processes that the settings describe, not started."""
    return LocalEnvironment(
        settings.home,
        settings.cache,
        settings.services,
        region=settings.region,
        localstack_port=localstack_port,
        sagemaker_port=sagemaker_port,
        progress=_say,
    )


def start_background(
    settings: Settings, localstack_port: int | None = None, sagemaker_port: int | None = None
) -> EnvironmentState:
    """Start the same in the background and return when it is healthy."""
    return background.start_background(
        settings.home,
        settings.cache,
        settings.services,
        region=settings.region,
        localstack_port=localstack_port,
        sagemaker_port=sagemaker_port,
        progress=_say,
    )


def up(
    detach: Detach = False,
    localstack_port: LocalStackPort = None,
    sagemaker_port: SageMakerPort = None,
    home: options.HomeOption = None,
) -> None:
    """Start LocalStack, the SageMaker emulator and the three Lambdas; no Docker, no account.

    Runs until Ctrl-C, or in the background with `--detach`.
    """
    settings = options.settings(home=home)
    if detach:
        _show(start_background(settings, localstack_port, sagemaker_port))
        console.err.print("it runs in the background: next `scones deploy`; `scones down` ends it")
        return
    running = stack(settings, localstack_port, sagemaker_port)
    with running as state:
        _show(state)
        console.err.print("running: next `scones deploy` in another terminal; Ctrl-C ends it")
        running.supervise()


def down(home: options.HomeOption = None) -> None:
    """Stop what `scones up` started."""
    settings = options.settings(home=home)
    stopped = background.stop(settings.home)
    console.err.print("stopped" if stopped else f"nothing was running in {settings.home}")


def status(home: options.HomeOption = None, as_json: options.JsonOption = False) -> None:
    """Say what is running, where, and whether it is healthy.

    Exit code 3 when nothing runs, 1 when a part does not answer.
    """
    settings = options.settings(home=home)
    found = background.status(settings.home)
    elsewhere = {} if found.running else _containers(settings)
    running = found.running or any(elsewhere.values())
    addresses = _addresses(found.state) if found.state else _published(settings) if running else {}
    health = found.health if found.running else elsewhere if running else {}
    if as_json:
        console.print_json({"running": running, "health": health, "addresses": addresses})
    elif not running:
        console.err.print(f"nothing is running in {settings.home}: `scones up` or `docker compose up` starts it")
    else:
        _table(addresses, found.state.logs if found.state else "docker compose logs", health)
    if not running:
        raise typer.Exit(NOT_RUNNING)
    if not all(health.values()):
        raise typer.Exit(1)


def _published(settings: Settings) -> dict[str, str]:
    return {"localstack": settings.localstack_url, "sagemaker": settings.sagemaker_url}


def _containers(settings: Settings) -> dict[str, bool]:
    """Which parts of a stack answer that `docker compose up` started at the settings' addresses."""
    paths = {"localstack": LOCALSTACK_HEALTH, "sagemaker": SAGEMAKER_HEALTH}
    return {name: answers(url + paths[name]) for name, url in _published(settings).items()}


def _addresses(state: EnvironmentState) -> dict[str, str]:
    return {"localstack": state.localstack_url, "sagemaker": state.sagemaker_url, **state.lambda_urls}


def _show(state: EnvironmentState) -> None:
    _table(_addresses(state), state.logs)


def _table(addresses: Mapping[str, str], logs: Path | str, health: Mapping[str, bool] | None = None) -> None:
    table = Table.grid(padding=(0, 2))
    for name, address in addresses.items():
        said = "" if health is None else "[green]healthy[/]" if health.get(name) else "[red]does not answer[/]"
        table.add_row(f"[bold]{name}[/]", address, said)
    table.add_row("[bold]logs[/]", str(logs))
    console.out.print(table)


def _say(line: str) -> None:
    console.err.print(f"[dim]{console.escape(line)}[/]", highlight=False)

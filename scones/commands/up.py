"""`scones up`."""

from typing import Annotated

import typer

from emulation.processes import background
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from scones import console, environment_lifecycle
from scones.context import CommandContext
from scones.options import with_context
from scones.views.environment import environment_table


@with_context("home", local=True)
def up(
    context: CommandContext,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Run in the background; `scones down` stops it.")
    ] = False,
    localstack_port: Annotated[
        int | None, typer.Option("--localstack-port", help="Port of LocalStack [default: 4566, or a free one].")
    ] = None,
    sagemaker_port: Annotated[
        int | None,
        typer.Option("--sagemaker-port", help="Port of the SageMaker emulator [default: 8080, or a free one]."),
    ] = None,
) -> None:
    """Start the local environment: LocalStack, the SageMaker emulator, three Lambda functions.

    Needs neither Docker nor an account. Runs until Ctrl-C, or in the background with `--detach`.
    """
    options = environment_lifecycle.options(context.settings, localstack_port, sagemaker_port)
    if detach:
        _show(background.start_background(options, environment_lifecycle.show_progress))
        console.note("it runs in the background: next `scones deploy`; `scones down` stops it")
        return
    environment = LocalEnvironment(options, environment_lifecycle.show_progress)
    with environment as state:
        _show(state)
        console.note("running: next `scones deploy` in another terminal; Ctrl-C stops it")
        environment.supervise()


def _show(state: EnvironmentState) -> None:
    console.out.print(environment_table(environment_lifecycle.addresses(state), state.logs))

"""`scones env`."""

import shlex
from typing import cast

import typer

from emulation.session import LocalSession
from scones import console
from scones.client_environment import client_environment
from scones.context import CommandContext
from scones.options import with_context


@with_context("home", "as_json", local=True)
def env(context: CommandContext) -> None:
    """Print the environment variables with which other AWS clients use the local environment.

    For notebooks, boto3, the AWS CLI and the SageMaker Python SDK.

    Example: `eval "$(scones env)"`
    """
    session = cast(LocalSession, context.session)
    variables = client_environment(session, context.settings.home / "sagemaker-sdk.yaml")
    if context.as_json:
        console.print_json(variables)
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")

"""The `scones` command."""

import signal
import sys
from types import FrameType

import typer
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from emulation.errors import EmulationError
from monitoring.errors import MonitoringError
from orchestration.errors import OrchestrationError
from scones import commands, demo, local
from scones.console import err, escape
from scones.errors import SconesError
from training.data.errors import DataError
from training.errors import HostingError

NAMED = (SconesError, EmulationError, MonitoringError, OrchestrationError, DataError, HostingError)

app = typer.Typer(
    name="scones",
    help="Tells bicycles from motorcycles: the same model, Lambdas and state machine on a laptop and on AWS.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(local.up)
app.command()(local.down)
app.command()(local.status)
app.command()(commands.stage)
app.add_typer(commands.endpoint, name="endpoint")
app.command()(commands.deploy)
app.command()(commands.destroy)
app.command()(commands.run)


def main() -> None:
    """Run a command; every expected failure is one line on standard error and an exit code that is not 0."""
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        app()
    except EndpointConnectionError as error:
        sys.exit(_refuse(f"nothing answers at {error.kwargs['endpoint_url']}: start the local stack with `scones up`"))
    except NoCredentialsError:
        sys.exit(
            _refuse("no AWS credentials found: set AWS_PROFILE or run `aws configure`; `--target local` needs none")
        )
    except (*NAMED, BotoCoreError, ClientError, OSError) as error:
        sys.exit(_refuse(str(error) or type(error).__name__))


def _refuse(message: str) -> int:
    err.print(f"[red]error[/]: {escape(' '.join(message.split()))}", highlight=False, soft_wrap=True)
    return 1


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

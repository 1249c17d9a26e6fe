"""The `scones` command."""

import signal
import sys
from types import FrameType

import typer
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from core.errors import SconesError
from scones import container_images
from scones.commands import (
    baseline,
    batch,
    cost,
    demo,
    deploy,
    doctor,
    evaluate,
    keep,
    monitor,
    redrive,
    rehearse,
    report,
    review,
    run,
    show,
    stage,
    train,
    up,
)
from scones.commands.endpoint import deploy as endpoint
from scones.console import err, escape

app = typer.Typer(
    name="scones",
    help="Tells bicycles from motorcycles: the same model, Lambdas and state machine on a laptop and on AWS.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(evaluate.evaluate)
app.command()(report.report)
app.command()(up.up)
app.command()(up.down)
app.command()(up.status)
app.command()(keep.keep)
app.command()(stage.stage)
app.command()(train.train)
app.command()(rehearse.rehearse)
app.add_typer(endpoint.app, name="endpoint")
app.command()(deploy.deploy)
app.command()(deploy.destroy)
app.add_typer(container_images.app, name="images")
app.command()(cost.cost)
app.command()(run.run)
app.command()(show.show)
app.command()(batch.batch)
app.command()(review.review)
app.command()(redrive.redrive)
app.command()(monitor.monitor)
app.command()(baseline.baseline)


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
    except (SconesError, BotoCoreError, ClientError, OSError) as error:
        sys.exit(_refuse(str(error) or type(error).__name__))


def _refuse(message: str) -> int:
    err.print(f"[red]error[/]: {escape(' '.join(message.split()))}", highlight=False, soft_wrap=True)
    return 1


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

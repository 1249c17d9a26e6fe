"""The `scones` command."""

import errno
import signal
import sys
from io import TextIOWrapper
from types import FrameType

import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
)
from botocore.parsers import ResponseParserError

from core.errors import SconesError
from scones.commands import COMMANDS, ENDPOINT, HIDDEN, IMAGES
from scones.console import warn
from scones.lazy_commands import LazyGroup, register

app = typer.Typer(
    cls=LazyGroup,
    name="scones",
    help="Classify images as bicycle or motorcycle, on a laptop, in Docker and on AWS.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
endpoint = typer.Typer(cls=LazyGroup, help="Manage the SageMaker endpoint.", no_args_is_help=True)
images = typer.Typer(cls=LazyGroup, help="Build the container images and push them to ECR.", no_args_is_help=True)
register(app, COMMANDS)
register(app, HIDDEN, hidden=True)
register(endpoint, ENDPOINT)
register(images, IMAGES)
app.add_typer(endpoint, name="endpoint")
app.add_typer(images, name="images")


def main() -> None:
    """Run a command; every expected failure is one line on standard error and an exit code that is not 0."""
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding shows what it can
    try:
        app()
    except EndpointConnectionError as error:
        sys.exit(_fail(f"cannot connect to {error.kwargs['endpoint_url']}: {_connection_hint(error)}"))
    except ProxyConnectionError as error:
        sys.exit(_fail(f"{error}: it refuses the connection or is not there; correct HTTPS_PROXY"))
    except NoCredentialsError:
        sys.exit(_fail("no AWS credentials found: set AWS_PROFILE or run `aws configure`; `--target local` needs none"))
    except OSError as error:
        sys.exit(_fail(_disk_hint(error)))
    except (SconesError, BotoCoreError, ClientError, ResponseParserError) as error:
        sys.exit(_fail(str(error) or type(error).__name__))


def _disk_hint(error: OSError) -> str:
    message = str(error) or type(error).__name__
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return f"{message}: free some space or choose another directory" if is_full else message


def _connection_hint(error: EndpointConnectionError) -> str:
    if ".amazonaws.com" in error.kwargs["endpoint_url"]:
        return "check the network, HTTPS_PROXY and AWS_CA_BUNDLE"
    return "start it with `scones up`"


def _fail(message: str) -> int:
    warn("error", " ".join(message.split()), "red")
    return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""`scones keep`, which docker-compose.yml runs as its service `deploy`."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from orchestration.errors import OrchestrationError
from scones import console
from scones.context import CommandContext
from scones.kept_stack import deploy_all, is_deployed
from scones.options import with_context
from training.errors import SageMakerError

_POLL_SECONDS = 1.0
_TRANSIENT = (OrchestrationError, SageMakerError, BotoCoreError, ClientError, OSError)


@with_context("stack", "home", local=True)
def keep(
    context: CommandContext,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="File that exists while everything is deployed.")
    ] = None,
    localstack_url: Annotated[
        str | None, typer.Option("--shown-localstack", help="URL of LocalStack to print, as the host reaches it.")
    ] = None,
    sagemaker_url: Annotated[
        str | None,
        typer.Option("--shown-sagemaker", help="URL of the SageMaker emulator to print, as the host reaches it."),
    ] = None,
) -> None:
    """Keep the stack deployed; docker-compose.yml runs this as its service `deploy`.

    Deploys the stack, the endpoint and sample images, and deploys them again after every restart of LocalStack, which
    loses its state. Runs until SIGTERM.
    """
    session, settings = context.session, context.settings
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    _mark_ready(ready_file, ready=False)
    last_error = ""
    while not stopped.is_set():
        try:
            if not is_deployed(session, settings):
                _mark_ready(ready_file, ready=False)
                console.note(f"deploying the stack {settings.stack}")
                bucket = deploy_all(session, settings).data_bucket
                _show_next_steps(
                    bucket, localstack_url or settings.localstack_url, sagemaker_url or settings.sagemaker_url
                )
            _mark_ready(ready_file, ready=True)
            last_error = ""
        except _TRANSIENT as error:
            _mark_ready(ready_file, ready=False)
            if str(error) != last_error:
                console.note(f"not deployed yet, retrying: {' '.join(str(error).split())}")
            last_error = str(error)
        stopped.wait(_POLL_SECONDS)


def _show_next_steps(bucket: str, localstack_url: str, sagemaker_url: str) -> None:
    for line in (
        f"everything is deployed: LocalStack at {localstack_url}, SageMaker at {sagemaker_url}",
        f"next, from another terminal: scones run s3://{bucket}/samples/bicycle-0.png",
        "                             scones run IMAGE…    scones status    docker compose run --rm e2e",
        "to remove everything:        docker compose down --volumes",
    ):
        console.note(line)


def _mark_ready(file: Path | None, *, ready: bool) -> None:
    if file is None:
        return
    if ready:
        file.touch()
    else:
        file.unlink(missing_ok=True)

"""Serves the review page of a stack."""

import errno
import hashlib
import hmac
import secrets
import socket
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import uvicorn

from core.files import write_atomically
from orchestration import failure_queue
from review.app import ReviewServer
from review.guard import Guard, is_loopback
from review.tickets import Tickets
from scones import console, labelling
from scones.context import CommandContext
from scones.errors import CannotListen, ReviewPortInUse

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 # nosec B104 - recognised here, not bound


def serve(context: CommandContext, host: str, port: int) -> None:
    """Serve the page until the process is interrupted. Anyone who opens it may label and redrive.

    Raises ReviewPortInUse, CannotListen.
    """
    with _listen(host, port) as listener:
        app, url = _app(context, host, port)
        console.print_line(url)
        config = uvicorn.Config(app, log_level="warning", server_header=False)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, dualstack_ipv6=host == "::")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ReviewPortInUse(port) from error
        raise CannotListen(host, port, error) from error


def _app(context: CommandContext, host: str, port: int) -> tuple[Guard, str]:
    """Return the application, and the URL that opens it, with the token that it requires unless it is on loopback."""
    secret = _secret(context.settings.home / "review-secret")
    token = None if is_loopback(host) else hmac.new(secret, b"token", hashlib.sha256).hexdigest()
    hosts = set() if host in _EVERY_ADDRESS else {host.lower()}
    app = review_server(context, secret).app(hosts=hosts, token=token)
    name = "127.0.0.1" if host in _EVERY_ADDRESS else f"[{host}]" if ":" in host else host
    return app, f"http://{name}:{port}/{f'?token={token}' if token else ''}"


def review_server(context: CommandContext, secret: bytes) -> ReviewServer:
    """Return the server of the stack's queues."""
    outputs, sqs, stepfunctions = context.outputs, context.client("sqs"), context.client("stepfunctions")

    def redrive(executions: Collection[str]) -> int:
        result = failure_queue.redrive(
            sqs, stepfunctions, outputs.failure_queue_url, outputs.state_machine_arn, executions=executions
        )
        return len(result.started)

    return ReviewServer(
        labelling.reviewing(sqs, context.client("s3"), outputs),
        Tickets(secret),
        sqs,
        outputs.failure_queue_url,
        redrive,
    )


def _secret(path: Path) -> bytes:
    """Return the key that signs tickets: the same after a restart, so that open pages go on."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, secrets.token_bytes(32))
        path.chmod(0o600)
    return path.read_bytes()

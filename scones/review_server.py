"""Serves the review page of a stack."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from pathlib import Path

import uvicorn

from core.files import write_atomically
from orchestration import failure_queue
from review.app import ReviewServer
from review.guard import is_loopback
from review.tickets import Tickets
from scones import console, labelling
from scones.context import CommandContext

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 # nosec B104 - recognised here, not bound


def serve(context: CommandContext, host: str, port: int) -> None:
    """Serve the page until the process is interrupted. Anyone who opens it may label and redrive."""
    secret = _secret(context.settings.home / "review-secret")
    token = None if is_loopback(host) else hmac.new(secret, b"token", hashlib.sha256).hexdigest()
    hosts = set() if host in _EVERY_ADDRESS else {host.lower()}
    app = review_server(context, secret).app(hosts=hosts, token=token)
    name = "127.0.0.1" if host in _EVERY_ADDRESS else host
    console.print_line(f"http://{name}:{port}/{f'?token={token}' if token else ''}")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)


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

"""One server process: the model, the application and uvicorn on a bound socket."""

import asyncio
import logging
import socket
import time
import warnings
from dataclasses import asdict
from typing import Final

import uvicorn
from PIL.Image import DecompressionBombWarning

from training.serving.app import create_app
from training.serving.model import load
from training.serving.settings import Served

GRACE_SECONDS: Final = 25  # SageMaker kills 30 s after SIGTERM
FAREWELL_SECONDS: Final = 0.25
KEEP_ALIVE_SECONDS: Final = 75  # longer than callers keep an idle connection: they close it, not we under their feet

log = logging.getLogger(__name__)


def serve(listener: socket.socket, served: Served) -> None:
    """Load the model, then listen until SIGTERM or SIGINT; requests under way are answered first.

    Raises ModelError where there is no model to serve.
    """
    logging.captureWarnings(capture=True)
    warnings.simplefilter("error", DecompressionBombWarning)
    begun = time.perf_counter()
    model = load(served.model_dir, served.threads, served.labels)
    seconds = round(time.perf_counter() - begun, 3)
    log.info("model loaded", extra={"fields": {**asdict(served), "seconds": seconds}})
    config = uvicorn.Config(
        create_app(model),
        http="h11",  # httptools and uvloop would save 0.2 ms of some 5
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _Server(config).run([listener])


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give callers a moment to leave by themselves before uvicorn hangs up on those who are silent.

        A connection that is accepted while uvicorn already shuts down would not be told, and be served on and on.
        """
        self.server_state.default_headers.append((b"connection", b"close"))
        for server in self.servers:
            server.close()
        await asyncio.sleep(FAREWELL_SECONDS)
        await super().shutdown(sockets)

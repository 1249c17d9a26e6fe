"""One server process: the model, the application, and uvicorn on a bound socket."""

import asyncio
import faulthandler
import logging
import os
import socket
import sys
import time
from dataclasses import asdict
from typing import Final

import uvicorn

from training.serving.app import create_app
from training.serving.model import load
from training.serving.settings import ModelSettings

GRACE_SECONDS: Final = 25  # SageMaker kills the container 30 s after SIGTERM
WATCHDOG_SECONDS: Final = 20
CLOSE_SECONDS: Final = 0.25
KEEP_ALIVE_SECONDS: Final = 75  # longer than clients keep idle connections: the client closes them, not the server

log = logging.getLogger(__name__)


def serve(listener: socket.socket, settings: ModelSettings) -> None:
    """Load the model, then listen until SIGTERM or SIGINT; requests in progress are completed first.

    Raises ModelError if the model cannot be served.
    """
    logging.captureWarnings(capture=True)
    started = time.perf_counter()
    model = load(settings.model_dir, settings.threads, settings.labels)
    seconds = round(time.perf_counter() - started, 3)
    log.info("model loaded", extra={"fields": {**asdict(settings), "seconds": seconds}})
    config = uvicorn.Config(
        create_app(model, knows_neither=model.knows_neither),
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
    # Returning would wait for the threads, and one may still decode an image that nobody waits for.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


class _Server(uvicorn.Server):
    async def on_tick(self, counter: int) -> bool:
        """Postpone the watchdog once a second.

        A decoder that holds the interpreter's lock stops the event loop, and signals are not handled either. After
        WATCHDOG_SECONDS of that, a thread of the C library ends the process, and the supervisor starts another one.
        """
        if counter % 10 == 0:
            faulthandler.dump_traceback_later(WATCHDOG_SECONDS, exit=True)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give clients a moment to close their connections before uvicorn closes the idle ones.

        uvicorn would not tell a connection that is accepted during its shutdown, and would go on serving it.
        """
        faulthandler.dump_traceback_later(GRACE_SECONDS + 2, exit=True)
        self.server_state.default_headers.append((b"connection", b"close"))
        for server in self.servers:
            server.close()
        await asyncio.sleep(CLOSE_SECONDS)
        await super().shutdown(sockets)

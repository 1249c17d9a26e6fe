"""`python -m training.serving serve`: the inference server's command line, with a SageMaker container's defaults."""

import argparse
import logging
import logging.config
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from core.errors import InvalidLabels
from core.labels import Labels, parse_labels
from training.serving import json_logs
from training.serving.errors import START_FAILED, ModelError
from training.serving.parent_watcher import watch_parent
from training.serving.settings import ContainerEnvironment, ModelSettings, take_parent_pipe
from training.serving.supervisor import supervise

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Returns the exit code: 0 after a graceful end, 3 where the port is taken or the model cannot be served.
    """
    options = command_line().parse_args(arguments)
    logging.config.dictConfig(json_logs.CONFIG)
    # uvicorn raises the signal again after its shutdown. An exception would not do: while ONNX Runtime is imported, its
    # extension module turns any exception into an ImportError.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    watch_parent(take_parent_pipe())
    settings = ModelSettings(options.model_dir, options.threads, options.labels)
    try:
        with _bind(options.host, options.port) if options.fd is None else socket.socket(fileno=options.fd) as listener:
            return _run(listener, settings, options.workers)
    except (ModelError, OSError) as error:
        fields = {"error": type(error).__name__, "message": str(error)}
        log.error("start failed", extra={"fields": fields})  # noqa: TRY400 - the message is enough
        return START_FAILED


def _run(listener: socket.socket, settings: ModelSettings, workers: int) -> int:
    if workers > 1:
        return supervise(listener, settings, workers)
    from training.serving.server import serve  # noqa: PLC0415 - loads ONNX Runtime, which a supervisor does not need

    serve(listener, settings)
    return 0


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket that does not listen yet: a client is refused, instead of waiting, until the model is loaded."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{error.strerror}: {host} port {port}") from error
    log.info("bound", extra={"fields": {"host": host, "port": listener.getsockname()[1]}})
    return listener


def command_line() -> argparse.ArgumentParser:
    """Return the parser; its defaults are those of a SageMaker container, with its environment variables."""
    environment = ContainerEnvironment.read()
    parser = argparse.ArgumentParser(prog="python -m training.serving", description="Serve a packaged model over HTTP.")
    command = parser.add_subparsers(required=True).add_parser(
        "serve",
        help="respond to /ping and /invocations until SIGTERM",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - a container's own # nosec B104
    command.add_argument(
        "--port",
        type=_integer_from(0),
        default=environment.port,
        help="port to listen on, 0 for a free one; SAGEMAKER_BIND_TO_PORT",
    )
    command.add_argument(
        "--fd", type=_integer_from(0), help="a bound socket inherited from the parent, instead of host and port"
    )
    command.add_argument(
        "--model-dir", type=Path, default=Path("/opt/ml/model"), help="directory with model.onnx and model.json"
    )
    command.add_argument(
        "--workers",
        type=_integer_from(1),
        default=environment.workers,
        help="processes; SAGEMAKER_MODEL_SERVER_WORKERS",
    )
    command.add_argument("--threads", type=_integer_from(1), default="1", help="threads of one inference")
    command.add_argument(
        "--labels",
        type=_labels,
        default=environment.labels,
        help="the labels that the model must have, label 0 before label 1; LABELS",
    )
    return parser


def _labels(text: str) -> Labels:
    try:
        return parse_labels(text)
    except InvalidLabels as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _integer_from(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"{value} is less than {minimum}")
        return value

    return parse


if __name__ == "__main__":
    sys.exit(main())

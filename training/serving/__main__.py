"""`python -m training.serving serve`: the server's command line, with the defaults of a SageMaker container."""

import argparse
import logging
import logging.config
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from training.serving import json_logs, parent_watcher
from training.serving.errors import START_FAILED, ModelError
from training.serving.settings import VEHICLES, Served

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Serve as the command line says until SIGTERM or SIGINT.

    Returns the exit code: 0 after an orderly end, 3 where the port is taken or there is no model to serve.
    """
    options = command_line().parse_args(arguments)
    logging.config.dictConfig(json_logs.CONFIG)
    # uvicorn raises them again once it has shut down in good order. An exception would not do: while ONNX Runtime is
    # imported, its extension module turns any into an ImportError.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    parent_watcher.watch()
    try:
        with _bind(options.host, options.port) if options.fd is None else socket.socket(fileno=options.fd) as listener:
            return _run(listener, Served(options.model_dir, options.threads, options.labels), options.workers)
    except (ModelError, OSError) as error:
        fields = {"error": type(error).__name__, "message": str(error)}
        log.error("start failed", extra={"fields": fields})  # noqa: TRY400  the message says it all
        return START_FAILED


def _run(listener: socket.socket, served: Served, workers: int) -> int:
    # Imported where they are wanted: the supervisor starts its workers before it would have loaded ONNX Runtime.
    if workers > 1:
        from training.serving.supervisor import supervise  # noqa: PLC0415

        return supervise(listener, served, workers)
    from training.serving.server import serve  # noqa: PLC0415

    serve(listener, served)
    return 0


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket that does not listen yet: until there is a model, a caller is refused and not kept waiting."""
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
    """Return the parser; its defaults are those of a SageMaker container, its environment included."""
    environment = os.environ
    parser = argparse.ArgumentParser(prog="python -m training.serving", description="Serve a packaged model over HTTP.")
    command = parser.add_subparsers(required=True).add_parser(
        "serve",
        help="answer /ping and /invocations until SIGTERM",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - a container's own # nosec B104
    command.add_argument(
        "--port",
        type=_number(0),
        default=environment.get("SAGEMAKER_BIND_TO_PORT", "8080"),
        help="port to listen on, 0 for a free one; SAGEMAKER_BIND_TO_PORT",
    )
    command.add_argument(
        "--fd", type=_number(0), help="a bound socket inherited from the parent, in place of host and port"
    )
    command.add_argument(
        "--model-dir", type=Path, default=Path("/opt/ml/model"), help="folder of model.onnx and model.json"
    )
    command.add_argument(
        "--workers",
        type=_number(1),
        default=environment.get("SAGEMAKER_MODEL_SERVER_WORKERS", str(os.cpu_count() or 1)),
        help="processes; SAGEMAKER_MODEL_SERVER_WORKERS",
    )
    command.add_argument("--threads", type=_number(1), default="1", help="threads of one inference")
    command.add_argument(
        "--labels",
        type=_labels,
        default=environment.get("LABELS", ",".join(VEHICLES)),
        help="what the model must tell apart, label 0 before label 1; LABELS",
    )
    return parser


def _labels(text: str) -> tuple[str, ...]:
    labels = tuple(text.split(","))
    if len(set(labels)) != len(VEHICLES) or not all(labels):
        raise argparse.ArgumentTypeError(f"{text!r} is not two different names with a comma between")
    return labels


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())

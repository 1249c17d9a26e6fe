"""``python -m emulation.sagemaker``: the SageMaker emulator as a process."""

import argparse
import contextlib
import fcntl
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import uvicorn

from core.defaults import REGION
from emulation.processes import parent_watcher
from emulation.sagemaker import aws_clients
from emulation.sagemaker.app import EmulatorOptions, create_app
from emulation.sagemaker.capture import Thresholds
from emulation.sagemaker.errors import StartupError
from emulation.sagemaker.hosting.model_artifacts import ModelArtifacts
from emulation.sagemaker.hosting.model_containers import StubContainer
from emulation.sagemaker.hosting.model_server import Command, production_server
from emulation.sagemaker.request_limits import RequestLimits, limited_protocol

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None, command: Command = production_server) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status. ``command`` starts a model server."""
    options = _parser().parse_args(arguments)
    parent_watcher.watch()
    try:
        with _lock(options.state_dir), _listen(options.host, options.port) as listener:
            emulator_options = _emulator_options(options, command)
            for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has shut down
                signal.signal(number, lambda *_: sys.exit(0))
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
            _log.info("listens on port %d of %s", listener.getsockname()[1], options.host)
            config = uvicorn.Config(
                create_app(emulator_options),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="on",
                timeout_keep_alive=75,
                timeout_graceful_shutdown=2,
                limit_concurrency=1000,
                http=limited_protocol(RequestLimits()),
            )
            uvicorn.Server(config).run(sockets=[listener])
    except StartupError as error:
        print(f"sagemaker emulator: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emulation.sagemaker", description="An emulator of Amazon SageMaker."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument(
        "--state-dir", type=Path, required=True, help="folder for records, models, unsent captures and logs"
    )
    parser.add_argument("--s3-endpoint", metavar="URL", help="URL of S3; optional with --stub-model")
    parser.add_argument("--logs-endpoint", metavar="URL", help="URL of CloudWatch Logs, for the logs of training jobs")
    parser.add_argument(
        "--cloudwatch-endpoint", metavar="URL", help="URL of CloudWatch, whose alarms roll an update back"
    )
    parser.add_argument(
        "--bake-seconds",
        "--trial-seconds",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="maximum bake time of an update with alarms, whatever its configuration says (default 5)",
    )
    parser.add_argument("--region", default=REGION)
    parser.add_argument(
        "--stub-model",
        "--scripted",
        nargs="?",
        type=_probability,
        const=StubContainer(),
        metavar="P_BICYCLE",
        help="load no model: return [P, 1-P], or without P probabilities derived from the image's bytes",
    )
    parser.add_argument(
        "--training-python",
        metavar="PROGRAM",
        help="Python interpreter for training (default: one with PyTorch, which the first job may install)",
    )
    parser.add_argument(
        "--cache", type=Path, help="folder for an environment with PyTorch (default: in the state directory)"
    )
    parser.add_argument("--faults", action="store_true", help="serve /_scones/faults, with which tests inject faults")
    parser.add_argument(
        "--capture-seconds",
        type=float,
        default=2.0,
        help="maximum age of captured records before they are uploaded to S3 (default 2)",
    )
    return parser


def _emulator_options(options: argparse.Namespace, command: Command) -> EmulatorOptions:
    region = options.region
    client: aws_clients.S3 | None = aws_clients.connect("s3", options.s3_endpoint, region)
    models: ModelArtifacts | StubContainer
    if options.stub_model is not None:
        models = options.stub_model
    elif client is not None:
        models = ModelArtifacts(client, options.state_dir / "models")
    else:
        raise StartupError("models come from S3: specify --s3-endpoint, or --stub-model, which needs none")
    return EmulatorOptions(
        options.state_dir,
        region,
        client,
        models,
        command,
        logs_client=aws_clients.connect("logs", options.logs_endpoint, region),
        alarms_client=aws_clients.connect("cloudwatch", options.cloudwatch_endpoint, region),
        bake_seconds=options.bake_seconds,
        python=options.training_python,
        cache=options.cache,
        faults=options.faults,
        thresholds=Thresholds(seconds=options.capture_seconds),
    )


def _probability(text: str) -> StubContainer:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a probability")
    return StubContainer(value)


def _lock(state_dir: Path) -> BinaryIO:
    """Make the state directory this process's own; the lock ends with the process."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # a volume may belong to another user
            state_dir.chmod(0o700)
        file = (state_dir / "lock").open("wb")
    except OSError as error:
        raise StartupError(f"cannot write to --state-dir {state_dir}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StartupError(
            f"another emulator uses --state-dir {state_dir}; stop it or choose another directory"
        ) from None
    return file


def _listen(host: str, port: int) -> socket.socket:
    # With its protocol, or asyncio leaves Nagle's algorithm on and every other response waits 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StartupError(
            f"cannot listen on {host}:{port}: {error}; choose another --port or stop the program that uses it"
        ) from error
    return listener


if __name__ == "__main__":
    sys.exit(main())

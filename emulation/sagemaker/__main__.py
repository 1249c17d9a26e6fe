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
from typing import Any, BinaryIO

import uvicorn

from emulation.processes import parent_watcher
from emulation.sagemaker import aws_clients
from emulation.sagemaker.app import Settings, create_app
from emulation.sagemaker.capture.buffer import Thresholds
from emulation.sagemaker.errors import StartupError
from emulation.sagemaker.hosting.model_artifacts import ModelArtifacts
from emulation.sagemaker.hosting.model_container import StubContainer
from emulation.sagemaker.hosting.model_server import Command, production_server
from emulation.sagemaker.request_limits import RequestLimits, limited_protocol


def main(arguments: Sequence[str] | None = None, command: Command = production_server) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status. ``command`` starts a model server."""
    options = _parser().parse_args(arguments)
    parent_watcher.watch()
    try:
        with _lock(options.state_dir), _listen(options.host, options.port) as listener:
            settings = _settings(options, command)
            for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has shut down
                signal.signal(number, lambda *_: sys.exit(0))
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
            config = uvicorn.Config(
                create_app(settings),
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
        prog="python -m emulation.sagemaker", description="Stands in for Amazon SageMaker."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--state-dir", type=Path, required=True, help="records, models, captures under way and logs")
    parser.add_argument("--s3-endpoint", metavar="URL", help="URL of S3; optional with --scripted")
    parser.add_argument("--logs-endpoint", metavar="URL", help="where CloudWatch Logs is, for training jobs")
    parser.add_argument("--cloudwatch-endpoint", metavar="URL", help="where the alarms are that roll an update back")
    parser.add_argument(
        "--trial-seconds",
        type=float,
        default=5.0,
        help="how long an update with alarms waits for them at most, whatever it asks for (default 5)",
    )
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument(
        "--scripted",
        nargs="?",
        type=_probability,
        const=StubContainer(),
        metavar="P_BICYCLE",
        help="answer [P, 1-P] and load no model; without P, probabilities that follow from the image's bytes",
    )
    parser.add_argument(
        "--training-python",
        metavar="PROGRAM",
        help="the interpreter that trains (default this one if it has PyTorch, else one that the first job makes)",
    )
    parser.add_argument("--cache", type=Path, help="folder for an environment with PyTorch (default in the state)")
    parser.add_argument("--faults", action="store_true", help="open /_scones/faults, by which tests inject faults")
    parser.add_argument(
        "--capture-seconds",
        type=float,
        default=2.0,
        help="how old captured records get before they go to S3 (default 2)",
    )
    return parser


def _settings(options: argparse.Namespace, command: Command) -> Settings:
    client = aws_clients.connect(options.s3_endpoint, options.region) if options.s3_endpoint else None
    source: ModelArtifacts | StubContainer
    if options.scripted is not None:
        source = options.scripted
    elif client is not None:
        source = ModelArtifacts(client, options.state_dir / "models")
    else:
        raise StartupError("models come from S3: say where it is with --s3-endpoint, or do without by --scripted")
    return Settings(
        options.state_dir,
        options.region,
        client,
        source,
        command,
        logs_client=aws_clients.connect_logs(options.logs_endpoint, options.region) if options.logs_endpoint else None,
        alarms_client=_alarms(options),
        trial_seconds=options.trial_seconds,
        python=options.training_python,
        cache=options.cache,
        faults=options.faults,
        thresholds=Thresholds(seconds=options.capture_seconds),
    )


def _alarms(options: argparse.Namespace) -> Any:
    if options.cloudwatch_endpoint is None:
        return None
    return aws_clients.connect_alarms(options.cloudwatch_endpoint, options.region)


def _probability(text: str) -> StubContainer:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no probability")
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
            f"another emulator uses --state-dir {state_dir}; stop it or name another directory"
        ) from None
    return file


def _listen(host: str, port: int) -> socket.socket:
    # Named by its protocol, or asyncio leaves Nagle's algorithm on and every other answer waits 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StartupError(
            f"cannot listen on {host}:{port}: {error}; choose another --port or stop what holds it"
        ) from error
    return listener


if __name__ == "__main__":
    sys.exit(main())

"""Runs one handler in its own process, so that a timeout can end it and its exit is seen."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Self

from emulation.lambdas import handler_runtime
from emulation.lambdas.settings import CHANNEL_VARIABLE
from emulation.processes.parent_watcher import ParentPipe
from emulation.settings import inherited_environment

_ROOT = Path(__file__).resolve().parents[2]
_EXIT_SECONDS = 2.0
_CHUNK = 64 * 1024
MAX_LOG_BYTES = 256 * 1024


@dataclass(frozen=True)
class HandlerConfiguration:
    """What a Lambda function's configuration says about its process."""

    function_name: str
    timeout: int
    memory_size: int
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what LocalStack's plugin sends; raises ValueError if it is something else."""
        try:
            value = json.loads(text)
            variables = {str(name): str(text) for name, text in value["variables"].items()}
            return cls(str(value["function_name"]), int(value["timeout"]), int(value["memory_size"]), variables)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"Not a function configuration: {text[:200]!r}") from error

    def environment(self, handler: str, region: str) -> dict[str, str]:
        """Return the variables that AWS Lambda defines, and the function's own over them."""
        return {
            "_HANDLER": handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_size),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.timeout),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "$LATEST",
            "AWS_REGION": region,
            **self.variables,
        }


class HandlerExited(Exception):
    """The process ended during an invocation; ``report`` is the error it reported before, if any."""

    def __init__(self, reason: str, report: bytes = b"") -> None:
        super().__init__(reason)
        self.report = report


class HandlerTimeout(Exception):
    """The process did not respond in time and was killed."""


class HandlerProcess:
    """A process that runs the handler in ``service_dir``; it starts at once and is ready when the import is done."""

    def __init__(self, service_dir: Path, environment: Mapping[str, str]) -> None:
        self._parent_pipe = ParentPipe()
        self._channel, theirs = Pipe()
        self._ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", handler_runtime.__name__],
            cwd=service_dir,
            env={
                **inherited_environment(),
                "PYTHONUNBUFFERED": "1",
                "PYTHONPATH": str(_ROOT),
                "LAMBDA_TASK_ROOT": str(service_dir),
                **environment,
                **self._parent_pipe.environment,
                CHANNEL_VARIABLE: str(theirs.fileno()),
            },
            pass_fds=(*self._parent_pipe.pass_fds, theirs.fileno()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        theirs.close()
        assert self._process.stdout is not None  # noqa: S101 - narrows the type
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._log = bytearray()

    @property
    def alive(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    def invoke(self, context: Mapping[str, object], event: bytes, deadline: float) -> tuple[str, bytes]:
        """Send an event and return the kind of result and its bytes.

        Raises HandlerTimeout past ``deadline`` (``time.monotonic``), HandlerExited where the process ended instead.
        """
        try:
            if not self._ready:
                self._await_import(deadline)
            self._channel.send_bytes(json.dumps(context).encode())
            self._channel.send_bytes(event)
            return self._receive(deadline)
        except (EOFError, OSError) as error:
            raise HandlerExited(self._exit_reason()) from error

    def take_log(self) -> bytes:
        """Return what the handler has written since the last call, the end of it where that is much."""
        self._read_output()
        log = bytes(self._log[-MAX_LOG_BYTES:])
        self._log.clear()
        return log

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._channel.close()
        self._parent_pipe.close()

    def _await_import(self, deadline: float) -> None:
        kind, report = self._receive(deadline)
        if kind == handler_runtime.INIT_ERROR:
            raise HandlerExited(self._exit_reason(), report)
        self._ready = True

    def _receive(self, deadline: float) -> tuple[str, bytes]:
        waiting: list[Connection | int] = [self._channel, self._output]
        while self._channel not in (ready := wait(waiting, max(0.0, deadline - time.monotonic()))):
            if not ready:
                raise HandlerTimeout
            if not self._read_output():  # closed by the handler, which may go on without
                waiting.remove(self._output)
        return self._channel.recv_bytes().decode(), self._channel.recv_bytes()

    def _read_output(self) -> bool:
        """Take what the handler has written, and pass it on to the host's own log; False at its end."""
        with contextlib.suppress(BlockingIOError):
            while content := os.read(self._output, _CHUNK):
                self._log += content
                del self._log[:-MAX_LOG_BYTES]
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()
            return False
        return True

    def _exit_reason(self) -> str:
        try:
            status = self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "hung up"
        return f"exit status {status}" if status >= 0 else f"signal: {(signal.strsignal(-status) or '').lower()}"

"""A Lambda function without Docker, with the responses of the Runtime Interface Emulator.

Its handler runs in a separate process, so that a timeout can end it and its exit is seen.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path

from emulation.lambdas import handler_runtime
from emulation.lambdas.settings import CHANNEL_VARIABLE
from emulation.localstack.scones_localstack.host_protocol import FunctionConfiguration
from emulation.processes.parent_watcher import ParentPipe
from emulation.settings import ROOT, inherited_environment

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100
MAX_LOG_BYTES = 256 * 1024
_EXIT_SECONDS = 10.0
# As on AWS, an import does not count towards the function's timeout.
_IMPORT_SECONDS = 60.0
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response."""

    status: HTTPStatus
    body: bytes = b""
    log: bytes = b""


class HandlerExited(Exception):
    """The process ended during an invocation; ``report`` is the error it reported before, if any."""

    def __init__(self, reason: str, report: bytes = b"") -> None:
        super().__init__(reason)
        self.report = report


class HandlerTimeout(Exception):
    """The process did not respond in time."""


class LambdaFunction:
    """One function, one process, one invocation at a time."""

    def __init__(self, service_dir: Path, handler: str, configuration: FunctionConfiguration, region: str) -> None:
        self._service_dir = service_dir
        self._handler = handler
        self._region = region
        self._configuration = configuration
        self._process: HandlerProcess | None = None
        self._lock = threading.Lock()

    @property
    def configuration(self) -> FunctionConfiguration:
        """The configuration that the next invocation runs under."""
        return self._configuration

    def configure(self, configuration: FunctionConfiguration) -> None:
        """Take a new configuration; if it differs from the current one, the handler is imported again at once."""
        with self._lock:
            if configuration != self._configuration or self._process is None:
                self._configuration = configuration
                self._restart()

    def invoke(self, event: bytes, request_id: str | None = None) -> HttpResponse:
        """Return the response to an invocation; 400 without a body while another one is running."""
        if not self._lock.acquire(blocking=False):
            return HttpResponse(HTTPStatus.BAD_REQUEST)
        try:
            return self._invoke(event[:MAX_PAYLOAD_BYTES], request_id or str(uuid.uuid4()))
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the handler's process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _invoke(self, event: bytes, request_id: str) -> HttpResponse:
        started = time.monotonic()
        print(f"START RequestId: {request_id} Version: $LATEST", flush=True)
        try:
            return self._respond(event, request_id)
        finally:
            milliseconds = (time.monotonic() - started) * 1000
            report = f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms"
            print(f"END RequestId: {request_id}\n{report}", flush=True)

    def _respond(self, event: bytes, request_id: str) -> HttpResponse:
        """Return the handler's response; the process ends unless that is a result or an exception of the handler's."""
        process = self._process if self._process is not None and self._process.alive else self._restart()
        timeout = self._configuration.timeout
        try:
            process.await_import(time.monotonic() + max(timeout, _IMPORT_SECONDS))
            deadline = time.monotonic() + timeout
            body = process.invoke(self._context(request_id, deadline), event, deadline)
        except HandlerTimeout:
            message = f"Task timed out after {timeout:.2f} seconds"
            response = HttpResponse(HTTPStatus.OK, message.encode(), process.take_log())
        except HandlerExited as error:
            message = f"RequestId: {request_id} Error: Runtime exited with error: {error}"
            report = error.report or _report("Runtime.ExitError", message)
            response = HttpResponse(HTTPStatus.BAD_GATEWAY, report, process.take_log())
        else:
            if len(body) <= MAX_PAYLOAD_BYTES:
                return HttpResponse(HTTPStatus.OK, body, process.take_log())
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes)."
            report = _report("Function.ResponseSizeTooLarge", message)
            response = HttpResponse(HTTPStatus.BAD_GATEWAY, report, process.take_log())
        self.close()
        return response

    def _context(self, request_id: str, deadline: float) -> dict[str, object]:
        name = self._configuration.function_name
        return {
            "aws_request_id": request_id,
            "invoked_function_arn": f"arn:aws:lambda:{self._region}:012345678912:function:{name}",
            "function_name": name,
            "function_version": "$LATEST",
            "memory_limit_in_mb": str(self._configuration.memory_size),
            "log_group_name": f"/aws/lambda/{name}",
            "log_stream_name": "$LATEST",
            "deadline_ms": int((time.time() + deadline - time.monotonic()) * 1000),
        }

    def _restart(self) -> "HandlerProcess":
        self.close()
        self._process = HandlerProcess(self._service_dir, self._variables())
        return self._process

    def _variables(self) -> dict[str, str]:
        """Return the variables that AWS Lambda defines, and the function's own over them."""
        configuration = self._configuration
        return {
            "_HANDLER": self._handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": configuration.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_size),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(configuration.timeout),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{configuration.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "$LATEST",
            "AWS_REGION": self._region,
            **configuration.variables,
        }


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
                "PYTHONPATH": str(ROOT),
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

    def await_import(self, deadline: float) -> None:
        """Wait until the handler is imported; raises as :meth:`invoke` does, HandlerExited also for a failed import."""
        if self._ready:
            return
        try:
            report = self._receive(deadline)
        except (EOFError, OSError) as error:
            raise HandlerExited(self._exit_reason()) from error
        if report:
            raise HandlerExited(self._exit_reason(), report)
        self._ready = True

    def invoke(self, context: Mapping[str, object], event: bytes, deadline: float) -> bytes:
        """Send an event and return the handler's result, or its exception as Lambda reports it.

        Raises HandlerTimeout past ``deadline`` (``time.monotonic``), HandlerExited where the process ended instead.
        """
        try:
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

    def _receive(self, deadline: float) -> bytes:
        waiting: list[Connection | int] = [self._channel, self._output]
        while self._channel not in (ready := wait(waiting, max(0.0, deadline - time.monotonic()))):
            if not ready:
                raise HandlerTimeout
            if not self._read_output():  # closed by the handler, which may go on without
                waiting.remove(self._output)
        return self._channel.recv_bytes()

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


def _report(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()

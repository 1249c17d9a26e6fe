"""A Lambda function in one process, with the responses of the Runtime Interface Emulator, without Docker."""

import json
import threading
import time
import uuid
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from emulation.lambdas.handler_process import HandlerConfiguration, HandlerExited, HandlerProcess, HandlerTimeout

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response."""

    status: HTTPStatus
    body: bytes = b""
    log: bytes = b""


class LambdaFunction:
    """One function, one process, one invocation at a time."""

    def __init__(self, service_dir: Path, handler: str, configuration: HandlerConfiguration, region: str) -> None:
        self._service_dir = service_dir
        self._handler = handler
        self._region = region
        self._configuration = configuration
        self._process: HandlerProcess | None = None
        self._lock = threading.Lock()

    @property
    def configuration(self) -> HandlerConfiguration:
        """The configuration that the next invocation runs under."""
        return self._configuration

    def configure(self, configuration: HandlerConfiguration) -> None:
        """Take a new configuration; if it differs from the current one, the handler is imported again at once."""
        with self._lock:
            if configuration != self._configuration or self._process is None:
                self._configuration = configuration
                self._discard()
                self._process = self._start()

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
        self._discard()

    def _invoke(self, event: bytes, request_id: str) -> HttpResponse:
        started = time.monotonic()
        print(f"START RequestId: {request_id} Version: $LATEST", flush=True)
        try:
            response = self._invoke_process(event, request_id, started + self._configuration.timeout)
            return replace(response, log=response.log or self._take_log())
        except HandlerTimeout:
            message = f"Task timed out after {self._configuration.timeout:.2f} seconds".encode()
            return HttpResponse(HTTPStatus.OK, message, self._end())
        except HandlerExited as error:
            report = error.report or _exit_report(request_id, str(error))
            return HttpResponse(HTTPStatus.BAD_GATEWAY, report, self._end())
        finally:
            milliseconds = (time.monotonic() - started) * 1000
            print(
                f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms",
                flush=True,
            )

    def _invoke_process(self, event: bytes, request_id: str, deadline: float) -> HttpResponse:
        if self._process is None or not self._process.alive:
            self._discard()
            self._process = self._start()
        _, body = self._process.invoke(self._context(request_id, deadline), event, deadline)
        if len(body) > MAX_PAYLOAD_BYTES:
            return HttpResponse(HTTPStatus.BAD_GATEWAY, _too_large_report(), self._end())
        return HttpResponse(HTTPStatus.OK, body)

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

    def _start(self) -> HandlerProcess:
        environment = self._configuration.environment(self._handler, self._region)
        return HandlerProcess(self._service_dir, environment)

    def _take_log(self) -> bytes:
        return self._process.take_log() if self._process is not None else b""

    def _end(self) -> bytes:
        """End the process; return what it has written."""
        log = self._take_log()
        self._discard()
        return log

    def _discard(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


def _exit_report(request_id: str, reason: str) -> bytes:
    message = f"RequestId: {request_id} Error: Runtime exited with error: {reason}"
    return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": message}).encode()


def _too_large_report() -> bytes:
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes)."
    return json.dumps({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).encode()

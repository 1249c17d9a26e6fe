"""One Lambda container, reached through the Runtime Interface Emulator, and the queue in front of it."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus

import urllib3

from .errors import ContainerBusy, ContainerUnreachable
from .host_protocol import LOG_HEADER, LOG_LENGTH_HEADER, REQUEST_ID_HEADER
from .invoke_response import InvokeResponse, read_invoke_response

INVOKE_PATH = "/2015-03-31/functions/function/invocations"
CONFIGURE_PATH = "/environment"
QUEUE_SECONDS = 120.0
_CONNECT_SECONDS = 5.0
_RESPONSE_MARGIN_SECONDS = 5.0
_BUSY_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class FunctionConfiguration:
    """The configuration of a function, as its container needs it."""

    function_name: str
    timeout: int
    memory_size: int
    variables: dict[str, str] = field(default_factory=dict)


class FunctionContainer:
    """One invocation at a time, because a second concurrent request terminates the Runtime Interface Emulator.

    Callers queue, at most ``queue_timeout`` seconds.
    """

    def __init__(self, url: str, queue_timeout: float = QUEUE_SECONDS) -> None:
        self.url = url
        self._queue_timeout = queue_timeout
        self._lock = threading.Lock()
        self._configured: FunctionConfiguration | None = None
        self._http = urllib3.PoolManager(maxsize=1, retries=False)

    def configure(self, configuration: FunctionConfiguration) -> None:
        """Send the container its function's configuration, unless it has it already.

        A container that cannot be configured (the plain Runtime Interface Emulator) responds 404 and keeps its own.
        """
        with self._acquire(configuration.function_name):
            self._configure(configuration)

    def invoke(self, payload: bytes, request_id: str, configuration: FunctionConfiguration) -> InvokeResponse:
        """Send one invocation and return its response.

        Raises ContainerBusy if it waits too long in the queue, ContainerUnreachable if there is no response.
        """
        deadline = time.monotonic() + self._queue_timeout
        headers = {REQUEST_ID_HEADER: request_id, LOG_HEADER: "append"}
        with self._acquire(configuration.function_name):
            self._configure(configuration)
            while True:
                seconds = configuration.timeout + _RESPONSE_MARGIN_SECONDS
                response = self._send("POST", INVOKE_PATH, payload, seconds, headers)
                if not (response.status == HTTPStatus.BAD_REQUEST and not response.data):
                    log_length = int(response.headers.get(LOG_LENGTH_HEADER, "0"))
                    return read_invoke_response(response.status, response.data, request_id, log_length)
                if time.monotonic() > deadline:
                    raise ContainerBusy(f"{self.url} was busy for {self._queue_timeout:.0f} s with other clients")
                time.sleep(_BUSY_POLL_SECONDS)

    @contextmanager
    def _acquire(self, function_name: str) -> Iterator[None]:
        if not self._lock.acquire(timeout=self._queue_timeout):
            raise ContainerBusy(f"{function_name} waited {self._queue_timeout:.0f} s in the queue of {self.url}")
        try:
            yield
        finally:
            self._lock.release()

    def _configure(self, configuration: FunctionConfiguration) -> None:
        if self._configured != configuration:
            self._send("PUT", CONFIGURE_PATH, json.dumps(asdict(configuration)).encode(), _RESPONSE_MARGIN_SECONDS)
            self._configured = configuration

    def _send(
        self, method: str, path: str, body: bytes, seconds: float, headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=seconds)
        try:
            return self._http.request(method, self.url + path, body=body, headers=headers, timeout=timeout)
        except urllib3.exceptions.HTTPError as error:
            self._configured = None
            raise ContainerUnreachable(f"{method} {self.url}{path} got no response: {error}") from error

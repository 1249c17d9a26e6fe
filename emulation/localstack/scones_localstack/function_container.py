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
_ANSWER_MARGIN_SECONDS = 5.0
_BUSY_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class FunctionConfiguration:
    """What a function's configuration says about its container."""

    function_name: str
    timeout: int
    memory_size: int
    variables: dict[str, str] = field(default_factory=dict)


class FunctionContainer:
    """One invocation at a time, as a second one kills the emulator; callers queue for ``patience`` seconds at most."""

    def __init__(self, url: str, patience: float = QUEUE_SECONDS) -> None:
        self.url = url
        self._patience = patience
        self._turn = threading.Lock()
        self._configured: FunctionConfiguration | None = None
        self._http = urllib3.PoolManager(maxsize=1, retries=False)

    def configure(self, configuration: FunctionConfiguration) -> None:
        """Tell the container its function's configuration, unless it has it already.

        A container whose environment is its own affair (the plain emulator) answers 404 and keeps its own.
        """
        with self._my_turn(configuration.function_name):
            self._configure(configuration)

    def invoke(self, payload: bytes, request_id: str, configuration: FunctionConfiguration) -> InvokeResponse:
        """Send one invocation and return its answer.

        Raises ContainerBusy where its turn does not come in time, ContainerUnreachable where there is no answer.
        """
        deadline = time.monotonic() + self._patience
        headers = {REQUEST_ID_HEADER: request_id, LOG_HEADER: "append"}
        with self._my_turn(configuration.function_name):
            self._configure(configuration)
            while True:
                seconds = configuration.timeout + _ANSWER_MARGIN_SECONDS
                response = self._send("POST", INVOKE_PATH, payload, seconds, headers)
                if not (response.status == HTTPStatus.BAD_REQUEST and not response.data):
                    log_length = int(response.headers.get(LOG_LENGTH_HEADER, "0"))
                    return read_invoke_response(response.status, response.data, request_id, log_length)
                if time.monotonic() > deadline:
                    raise ContainerBusy(f"{self.url} was busy for {self._patience:.0f} s with calls that are not ours")
                time.sleep(_BUSY_POLL_SECONDS)

    @contextmanager
    def _my_turn(self, function_name: str) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._patience):
            raise ContainerBusy(f"{function_name} waited {self._patience:.0f} s for its turn at {self.url}")
        try:
            yield
        finally:
            self._turn.release()

    def _configure(self, configuration: FunctionConfiguration) -> None:
        if self._configured != configuration:
            self._send("PUT", CONFIGURE_PATH, json.dumps(asdict(configuration)).encode(), _ANSWER_MARGIN_SECONDS)
            self._configured = configuration

    def _send(
        self, method: str, path: str, body: bytes, seconds: float, headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=seconds)
        try:
            return self._http.request(method, self.url + path, body=body, headers=headers, timeout=timeout)
        except urllib3.exceptions.HTTPError as error:
            self._configured = None
            raise ContainerUnreachable(f"{method} {self.url}{path} got no answer: {error}") from error

"""The Lambda containers, reached through the Runtime Interface Emulator, and the queue in front of each."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus

import urllib3

from .errors import ContainerBusy, ContainerUnreachable, UnknownFunction
from .host_protocol import (
    CONFIGURATION_HEADER,
    CONFIGURE_PATH,
    INVOKE_PATH,
    LOG_HEADER,
    LOG_LENGTH_HEADER,
    REQUEST_ID_HEADER,
    FunctionConfiguration,
)
from .settings import CONTAINERS_VARIABLE

QUEUE_SECONDS = 120.0
_CONNECT_SECONDS = 5.0
_RESPONSE_MARGIN_SECONDS = 70.0  # the import of a cold start, and what a slow machine takes to end a function
_BUSY_POLL_SECONDS = 0.05
# The Runtime Interface Emulator marks a handler's exception only by the shape of a response with status 200.
_ERROR_FIELDS = {"errorMessage", "errorType", "requestId", "stackTrace"}


@dataclass(frozen=True)
class InvokeResponse:
    """The payload of an invocation, and whether Lambda would set ``FunctionError``."""

    payload: bytes
    is_error: bool
    log: str = ""


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
        headers = {
            REQUEST_ID_HEADER: request_id, LOG_HEADER: "append", CONFIGURATION_HEADER: configuration.digest(),
        }  # fmt: skip
        with self._acquire(configuration.function_name):
            while True:
                self._configure(configuration)
                seconds = configuration.timeout + _RESPONSE_MARGIN_SECONDS
                response = self._send("POST", INVOKE_PATH, payload, seconds, headers)
                if response.status == HTTPStatus.PRECONDITION_FAILED:  # started again, and not configured since
                    self._configured = None
                elif not (response.status == HTTPStatus.BAD_REQUEST and not response.data):
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
            self._send("PUT", CONFIGURE_PATH, configuration.to_json(), _RESPONSE_MARGIN_SECONDS)
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


def read_invoke_response(status: int, body: bytes, request_id: str, log_length: int = 0) -> InvokeResponse:
    """Turn a container's response into the service's: results, exceptions, timeouts and exits of the process.

    ``log_length`` bytes at the end of the body are the function's log.
    """
    end = len(body) - log_length
    response = _without_log(status, body[:end], request_id)
    return replace(response, log=body[end:].decode("utf-8", "replace"))


def _without_log(status: int, body: bytes, request_id: str) -> InvokeResponse:
    try:
        value = json.loads(body)
    except ValueError:
        return _without_json(status, body.decode("utf-8", "replace").strip(), request_id)
    if status == HTTPStatus.OK:
        if not (isinstance(value, dict) and value.keys() == _ERROR_FIELDS):
            return InvokeResponse(body, is_error=False)
        if value["requestId"] == request_id:
            return InvokeResponse(body, is_error=True)
        # The emulator of AWS's base image creates its own request ID.
        return InvokeResponse(json.dumps(value | {"requestId": request_id}).encode(), is_error=True)
    if isinstance(value, dict) and "errorType" in value:
        return InvokeResponse(body, is_error=True)
    return _failure("Runtime.Unknown", f"The container responded HTTP {status}: {value}", request_id)


def _without_json(status: int, text: str, request_id: str) -> InvokeResponse:
    if text.startswith("Task timed out"):
        return _failure("Sandbox.Timedout", text, request_id)
    if status == HTTPStatus.BAD_GATEWAY:
        return _failure("Runtime.ExitError", text or "Runtime exited before it responded", request_id)
    return _failure("Runtime.Unknown", f"The container responded HTTP {status}: {text[:500]}", request_id)


def _failure(kind: str, message: str, request_id: str) -> InvokeResponse:
    payload = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return InvokeResponse(json.dumps(payload).encode(), is_error=True)


class FunctionContainers:
    """The containers by name, as ``serialize=http://127.0.0.1:41233,classify=http://…`` lists them."""

    def __init__(self, listed: str) -> None:
        pairs = (entry.strip().partition("=") for entry in listed.split(",") if entry.strip())
        self._by_name: Mapping[str, FunctionContainer] = {
            name: FunctionContainer(url.rstrip("/")) for name, _, url in pairs
        }

    def for_image(self, image_uri: str) -> FunctionContainer:
        """Return the container of an image such as ``1234.dkr.ecr.us-east-1.amazonaws.com/scones/serialize:tag``.

        Raises UnknownFunction where the last segment of the repository is not listed.
        """
        name = function_of(image_uri)
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(self._by_name) or "none"
            raise UnknownFunction(
                f"no container runs the image {image_uri}: start one, add {name}=URL to {CONTAINERS_VARIABLE}, which "
                f"lists {known}, and start the local environment again; or deploy a zip archive"
            ) from None


def function_of(image_uri: str) -> str:
    """Return the last segment of the image's repository, without tag or digest."""
    return image_uri.rpartition("/")[2].partition("@")[0].partition(":")[0]

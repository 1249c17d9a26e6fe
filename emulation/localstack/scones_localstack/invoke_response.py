"""Translates the response of a Lambda container into that of the Lambda service."""

import json
from dataclasses import dataclass, replace
from http import HTTPStatus

# The Runtime Interface Emulator marks a handler's exception only by the shape of a response with status 200.
_ERROR_FIELDS = {"errorMessage", "errorType", "requestId", "stackTrace"}


@dataclass(frozen=True)
class InvokeResponse:
    """The payload of an invocation, and whether Lambda would set ``FunctionError``."""

    payload: bytes
    is_error: bool
    log: str = ""


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

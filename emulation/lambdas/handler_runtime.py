"""The process of a Lambda handler: imports it and responds to its host, as AWS Lambda's Python runtime does.

Started by ``function``, which talks to it over an inherited socket: the report of an import that failed, or an empty
frame; then for each invocation a frame with the context and one with the event, and back one with the response.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import simplejson

from emulation.lambdas import settings
from emulation.processes.parent_watcher import watch

Handler = Callable[[Any, "Context"], Any]


@dataclass(frozen=True)
class Context:
    """What a handler gets as its second argument."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    deadline_ms: int
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the function is ended."""
        return max(0, self.deadline_ms - int(time.time() * 1000))

    def log(self, message: object) -> None:
        """Write to the function's log."""
        sys.stdout.write(str(message))


class Fault(Exception):
    """An error of the runtime rather than of the handler; Lambda names it ``Runtime.<kind>``."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = f"Runtime.{kind}"
        self.trace = trace or []


def find_handler(name: str) -> Handler:
    """Import ``module.function``, or raise a Fault that says why not."""
    module_name, _, function_name = name.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise Fault("UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from error
    try:
        handler: Handler = getattr(module, function_name)
    except AttributeError:
        raise Fault("HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'") from None
    return handler


def read_event(event: bytes) -> object:
    """Parse an event, or raise ``Runtime.UnmarshalError``."""
    try:
        value: object = simplejson.loads(event)
    except ValueError as error:
        raise Fault("UnmarshalError", f"Unable to unmarshal input: {error}") from error
    return value


def write_result(value: object) -> bytes:
    """Serialise a handler's result, or raise ``Runtime.MarshalError``.

    As Lambda does it: bytes become text, decimals become numbers and NaN is written as NaN, which is not valid JSON.
    """
    if isinstance(value, bytes):
        return value
    try:
        text: str = simplejson.dumps(value, ensure_ascii=False, allow_nan=True, use_decimal=False, default=_decimal)
        return text.encode()
    except Exception as error:
        raise Fault("MarshalError", f"Unable to marshal response: {error}") from error


def _decimal(value: object) -> object:
    if isinstance(value, Decimal):
        return simplejson.RawJSON("NaN" if value.is_nan() else str(value))
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def describe(error: Exception, request_id: str) -> dict[str, Any]:
    """Return the four fields in which Lambda reports an exception."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        kind, trace = type(error).__name__, _frames(error.__traceback__)
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _frames(trace: TracebackType | None) -> list[str]:
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in traceback.extract_tb(trace)]
    theirs = [frame for frame in frames if frame[0] != __file__]
    return traceback.format_list(theirs)


def _log_error(report: dict[str, Any]) -> None:
    lines = [f"[ERROR] {report['errorType']}: {report['errorMessage']}", "Traceback (most recent call last):"]
    sys.stdout.write("\n".join(lines) + "\n" + "".join(report["stackTrace"]))


def respond(handler: Handler, event: bytes, context: Context) -> bytes:
    """Run the handler on one event and return its result or its exception."""
    try:
        return write_result(handler(read_event(event), context))
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its response
        report = describe(error, context.aws_request_id)
        _log_error(report)
        return json.dumps(report).encode()


def serve(channel: Connection, handler: Handler) -> None:
    """Answer one event after another until the host hangs up."""
    while True:
        try:
            context = Context(**json.loads(channel.recv_bytes()))
            event = channel.recv_bytes()
        except EOFError:
            return
        response = respond(handler, event, context)
        sys.stdout.flush()
        sys.stderr.flush()
        channel.send_bytes(response)


def main() -> None:
    """Import the handler named by ``_HANDLER`` and serve it to the host."""
    watch()
    channel = Connection(settings.take_channel())
    os.set_inheritable(channel.fileno(), False)
    logging.basicConfig(stream=sys.stdout, format="[%(levelname)s]\t%(asctime)s\t%(message)s")
    try:
        handler = find_handler(settings.handler_name())
    except Exception as error:  # noqa: BLE001 - a module may fail in any way while it is imported
        report = describe(error, "")
        _log_error(report)
        channel.send_bytes(json.dumps(report).encode())
        sys.exit(1)
    channel.send_bytes(b"")
    serve(channel, handler)


if __name__ == "__main__":
    main()

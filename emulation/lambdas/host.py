"""``python -m emulation.lambdas.host``: runs a Lambda handler without Docker, as the Runtime Interface Emulator does.

Besides the emulator's one path it serves ``PUT /environment`` (the function's configuration) and ``GET /health``.
"""

import argparse
import json
import re
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

from emulation.lambdas.function import MAX_PAYLOAD_BYTES, HttpResponse, LambdaFunction
from emulation.localstack.scones_localstack import request_guard
from emulation.localstack.scones_localstack.host_protocol import (
    CONFIGURATION_HEADER,
    CONFIGURE_PATH,
    INVOKE_PATH,
    LOG_HEADER,
    LOG_LENGTH_HEADER,
    REQUEST_ID_HEADER,
    FunctionConfiguration,
)
from emulation.localstack.scones_localstack.request_guard import RequestGuard
from emulation.processes.parent_watcher import watch

_LONGEST_NUMBER = 18
_REQUEST_ID = re.compile(r"[0-9a-fA-F-]{36}")


class Server(ThreadingHTTPServer):
    """An HTTP server in front of one function."""

    daemon_threads = True

    def __init__(self, host: str, port: int, function: LambdaFunction) -> None:
        self.function = function
        self.guard = RequestGuard.from_settings()
        super().__init__((host, port), RequestHandler)

    @property
    def url(self) -> str:
        """The URL at which it listens, with the actual port if port 0 was requested."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class RequestHandler(BaseHTTPRequestHandler):
    """The paths of a Lambda container, and the two of its host."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def parse_request(self) -> bool:
        """Read the request's head, and respond at once if the request is refused."""
        return super().parse_request() and not self._refused()

    def do_POST(self) -> None:
        """Invoke the function."""
        body = self._body()
        if body is None:
            return
        if self.path != INVOKE_PATH:
            self._send(HttpResponse(HTTPStatus.NOT_FOUND))
            return
        function = self.server.function
        if self.headers.get(CONFIGURATION_HEADER, function.configuration.digest()) != function.configuration.digest():
            self._send(HttpResponse(HTTPStatus.PRECONDITION_FAILED))
            return
        request_id = self.headers.get(REQUEST_ID_HEADER, "")
        self._send(function.invoke(body, request_id if _REQUEST_ID.fullmatch(request_id) else None))

    def do_PUT(self) -> None:
        """Take the function's configuration."""
        body = self._body()
        if body is None:
            return
        if self.path != CONFIGURE_PATH:
            self._send(HttpResponse(HTTPStatus.NOT_FOUND))
            return
        try:
            self.server.function.configure(FunctionConfiguration.from_json(body))
        except ValueError as error:
            self._send(HttpResponse(HTTPStatus.BAD_REQUEST, str(error).encode()))
        else:
            self._send(HttpResponse(HTTPStatus.NO_CONTENT))

    def do_GET(self) -> None:
        """Say that the host is up."""
        if self.path == "/health":
            name = self.server.function.configuration.function_name
            self._send(HttpResponse(HTTPStatus.OK, json.dumps({"status": "ok", "function": name}).encode()))
        else:
            self._send(HttpResponse(HTTPStatus.NOT_FOUND))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
        """Write no access log: the function's own lines say what was invoked."""

    def _refused(self) -> bool:
        headers = self.headers
        reason = self.server.guard.refusal(headers.get("Host"), headers.get("Origin"), headers.get("Sec-Fetch-Site"))
        if reason is not None and self._body() is not None:
            report = {"errorType": request_guard.CODE, "errorMessage": reason}
            self._send(HttpResponse(HTTPStatus.FORBIDDEN, json.dumps(report).encode()))
            self.close_connection = True
        return reason is not None

    def _body(self) -> bytes | None:
        """Return the request's body, or respond 400 if its length is not a number; a longer one than fits is cut."""
        length = self.headers.get("Content-Length", "0").strip()
        if not (length.isascii() and length.isdigit() and len(length) <= _LONGEST_NUMBER):
            self.close_connection = True
            self._send(HttpResponse(HTTPStatus.BAD_REQUEST, b"Content-Length is not a number of bytes"))
            return None
        if int(length) > MAX_PAYLOAD_BYTES:
            self.close_connection = True
        return self.rfile.read(min(int(length), MAX_PAYLOAD_BYTES))

    def _send(self, reply: HttpResponse) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        # The function's log follows the payload where LocalStack's plugin, and no other client, asks for it.
        log = reply.log if self.headers.get(LOG_HEADER) == "append" else b""
        if log:
            self.send_header(LOG_LENGTH_HEADER, str(len(log)))
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body) + len(log)))
        self.end_headers()
        self.wfile.write(reply.body + log)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def main() -> None:
    """Serve until SIGTERM or SIGINT, or until the parent process ends."""
    parser = argparse.ArgumentParser(prog="python -m emulation.lambdas.host", description="Serve a Lambda handler.")
    parser.add_argument("--service-dir", type=Path, required=True, help="folder that holds the handler's module")
    parser.add_argument("--name", required=True, help="name of the function")
    parser.add_argument("--handler", default="handler.handler", help="module.function")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--timeout", type=int, default=300, help="seconds an invocation may take")
    parser.add_argument(
        "--memory", type=int, default=3008, help="memory size in MB that the function's context reports"
    )
    parser.add_argument("--region", required=True)
    options = parser.parse_args()

    watch()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    configuration = FunctionConfiguration(options.name, options.timeout, options.memory)
    function = LambdaFunction(options.service_dir.resolve(), options.handler, configuration, options.region)
    with Server(options.host, options.port, function) as server:
        print(f"{options.name} listens on {server.url}", flush=True)
        try:
            server.serve_forever(poll_interval=3600)
        finally:
            function.close()


if __name__ == "__main__":
    main()

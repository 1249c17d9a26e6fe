"""A SageMaker runtime that knows InvokeEndpoint: over HTTP, on a free port, answering what a test tells it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Answer(NamedTuple):
    """What the stub answers next."""

    body: bytes
    status: int = 200
    error: str = ""
    cut_short: bool = False
    attributes: str = ""


def failure(error: str, status: int, **fields: object) -> Answer:
    """Return an error as SageMaker sends it."""
    return Answer(json.dumps({"Message": "No.", **fields}).encode(), status, error)


class EndpointStub(ThreadingHTTPServer):
    """Answers ``answer`` to each request, and keeps the requests and how many connections they took."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Requests)
        self.reset()

    def reset(self) -> None:
        self.answer = Answer(b"[0.97, 0.03]")
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections: set[tuple[str, int]] = set()
        self.release = threading.Event()
        self.release.set()


class _Requests(BaseHTTPRequestHandler):
    server: EndpointStub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet, or the client's delayed acknowledgement costs 40 ms each time

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers, body))
        self.server.connections.add(self.client_address)
        self.server.release.wait(20)
        response = self.server.answer
        self.send_response(response.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response.body) + response.cut_short))
        if response.error:
            self.send_header("x-amzn-errortype", response.error)
        if response.attributes:
            self.send_header("x-amzn-sagemaker-custom-attributes", response.attributes)
        self.end_headers()
        self.wfile.write(response.body)
        self.close_connection = response.cut_short

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[EndpointStub]:
    """Serve from a thread for as long as the block runs."""
    with EndpointStub(host) as stub:
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield stub
        finally:
            stub.release.set()
            stub.shutdown()
            thread.join()

"""An S3 that knows GetObject: over HTTP, on a free port, out of a dictionary."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


def failure(status: int, code: str) -> tuple[int, bytes]:
    """Return an error as S3 answers it."""
    return status, f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()


class S3Stub(ThreadingHTTPServer):
    """Holds ``objects`` by (bucket, key); answers ``failures``, status and body, each once and before all else."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Requests)
        self.objects: dict[tuple[str, str], bytes] = {}
        self.failures: list[tuple[int, bytes]] = []
        self.paths: list[str] = []


class _Requests(BaseHTTPRequestHandler):
    server: S3Stub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet, or the client's delayed acknowledgement costs 40 ms each time

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        bucket, _, key = urlsplit(self.path).path.lstrip("/").partition("/")
        data = self.server.objects.get((bucket, unquote(key)))
        if self.server.failures:
            self._answer(*self.server.failures.pop(0), "application/xml")
        elif data is None:
            self._answer(*failure(404, "NoSuchKey"), "application/xml")
        else:
            self._answer(200, data, "binary/octet-stream")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[S3Stub]:
    """Serve from a thread for as long as the block runs."""
    with S3Stub(host) as stub:
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield stub
        finally:
            stub.shutdown()
            thread.join()

"""The part of S3 that the emulator uses, in memory, over HTTP."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import unquote, urlsplit


class FakeS3(ThreadingHTTPServer):
    """Objects by ``bucket/key``; answers 503 while ``available`` is False, and 404 for ``missing_buckets``."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.objects: dict[str, bytes] = {}
        self.missing_buckets: set[str] = set()
        self.available = True

    def lines(self, prefix: str) -> list[bytes]:
        """Every line of every object under a prefix."""
        return [
            line for key in sorted(self.objects) if key.startswith(prefix) for line in self.objects[key].splitlines()
        ]


@contextmanager
def fake_s3() -> Iterator[FakeS3]:
    with FakeS3() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        refusal = self._refusal()
        if refusal is None:
            self._s3.objects[self._name] = body
        self._answer(*(refusal or (200, b"")))

    def do_GET(self) -> None:
        self._answer(*self._object())

    def do_HEAD(self) -> None:
        status, content = self._object()
        self._answer(status, content, with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass

    @property
    def _s3(self) -> FakeS3:
        return cast(FakeS3, self.server)

    @property
    def _name(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/")

    def _refusal(self) -> tuple[int, bytes] | None:
        if not self._s3.available:
            return 503, b"<Error><Code>ServiceUnavailable</Code></Error>"
        if self._name.partition("/")[0] in self._s3.missing_buckets:
            return 404, b"<Error><Code>NoSuchBucket</Code></Error>"
        return None

    def _object(self) -> tuple[int, bytes]:
        content = self._s3.objects.get(self._name)
        missing = (404, b"<Error><Code>NoSuchKey</Code></Error>")
        return self._refusal() or (missing if content is None else (200, content))

    def _answer(self, status: int, body: bytes, *, with_body: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')
        self.end_headers()
        if with_body:
            self.wfile.write(body)

"""The parts of S3 and CloudWatch Logs that the emulator uses, in memory, over HTTP."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class FakeS3(ThreadingHTTPServer):
    """Objects by ``bucket/key``; answers 503 while ``available`` is False, and 404 for ``missing_buckets``.

    ``logs`` holds the messages of each log stream by ``group:stream``.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.objects: dict[str, bytes] = {}
        self.missing_buckets: set[str] = set()
        self.available = True
        self.logs: dict[str, list[str]] = {}

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
        query = parse_qs(urlsplit(self.path).query)
        self._answer(*(self._listing(query) if "list-type" in query else self._object()))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        operation = self.headers["x-amz-target"].rpartition(".")[2]
        self._answer(200, json.dumps(self._logs(operation, body)).encode())

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

    def _logs(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """CloudWatch Logs; a token is the number of events that were seen."""
        group, streams = asked["logGroupName"], self._s3.logs
        if operation == "DescribeLogStreams":
            prefix = f"{group}:{asked['logStreamNamePrefix']}"
            return {
                "logStreams": [{"logStreamName": name[len(group) + 1 :]} for name in streams if name.startswith(prefix)]
            }
        if operation in {"PutLogEvents", "GetLogEvents"}:
            stream = streams.setdefault(f"{group}:{asked['logStreamName']}", [])
            stream += [event["message"] for event in asked.get("logEvents", ())]
            events = [{"timestamp": 1, "message": message} for message in stream[int(asked.get("nextToken", "0")) :]]
            return {"events": events, "nextForwardToken": str(len(stream))} if operation == "GetLogEvents" else {}
        return {}

    def _listing(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        """A page of two hundred, so that the next one has to be asked for."""
        prefix = f"{self._name.rstrip('/')}/{query.get('prefix', [''])[0]}"
        after = query.get("continuation-token", [""])[0]
        result = sorted(name for name in self._s3.objects if name.startswith(prefix) and name > after)
        page, more = result[:200], "true" if len(result) > 200 else "false"
        keys = "".join(f"<Contents><Key>{escape(name.partition('/')[2])}</Key></Contents>" for name in page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if page else ""
        listed = f"<ListBucketResult><IsTruncated>{more}</IsTruncated>{token}{keys}</ListBucketResult>"
        return self._refusal() or (200, listed.encode())

    def _answer(self, status: int, body: bytes, *, with_body: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')
        self.end_headers()
        if with_body:
            self.wfile.write(body)

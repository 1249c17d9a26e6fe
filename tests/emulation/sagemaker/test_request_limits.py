"""Clients that send half a request keep nobody else out."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator

import uvicorn
from starlette.types import Receive, Scope, Send

from emulation.sagemaker.request_limits import RequestLimits, limited_protocol
from tests.emulation.sagemaker.emulator import Emulator

HEAD = b"POST /endpoints/%s/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"


@contextlib.contextmanager
def half_sent(port: int, count: int, content: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
        for connection in connections:
            connection.sendall(content)
        yield connections


def served(emulator: Emulator, name: str) -> bool:
    """Whether a client gets a response on a new connection, without a retry."""
    runtime = emulator.client("sagemaker-runtime", read_timeout=600 + len(emulator.clients))
    body: bytes = runtime.invoke_endpoint(EndpointName=name, Body=b"image")["Body"].read()
    return bool(body)


def test_a_thousand_half_sent_heads_keep_nobody_out(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    with half_sent(emulator.port, 1000, b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"):
        assert served(emulator, name)


def test_a_thousand_idle_connections_keep_nobody_out(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    with half_sent(emulator.port, 1000, b"GET /_scones/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as connections:
        for connection in connections:  # idle, or closed to make room, once the response has arrived
            with contextlib.suppress(ConnectionResetError):
                connection.recv(65536)
        assert served(emulator, name)


def test_half_sent_bodies_keep_nobody_out(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    with half_sent(emulator.port, 100, HEAD % name.encode() + b"Content-Length: 6291456\r\n\r\nx"):
        time.sleep(0.5)  # the server has read them all
        assert served(emulator, name)


async def _served(limits: RequestLimits, content: bytes) -> float:
    """Return after how many seconds the server closes a connection on which it gets this content, and no more."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass

    config = uvicorn.Config(app, http=limited_protocol(limits), lifespan="off", log_config=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        began = time.monotonic()
        writer.write(content)
        await reader.read()
        writer.close()
        server.should_exit = True
        await serving
    return time.monotonic() - began


def test_a_head_that_does_not_end_is_cut_off() -> None:
    assert asyncio.run(_served(RequestLimits(header_seconds=0.3, request_seconds=3600), b"GET / HTTP/1.1\r\n")) < 600


def test_a_body_that_does_not_end_is_cut_off() -> None:
    content = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx"
    assert asyncio.run(_served(RequestLimits(header_seconds=3600, request_seconds=0.3), content)) < 600

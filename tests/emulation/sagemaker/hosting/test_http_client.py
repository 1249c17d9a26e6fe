"""HTTP to a model server, as the emulator speaks it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from emulation.sagemaker.errors import ContainerDown, ContainerTimeout, InvalidContainerResponse
from emulation.sagemaker.hosting import http_client

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def invocation(
    handler: Handler, body: bytes = b"x", seconds: float = 600, times: int = 1
) -> list[http_client.ContainerResponse]:
    """Answers of a server to ``times`` requests, one after the other."""

    async def run() -> list[http_client.ContainerResponse]:
        async with await asyncio.start_server(handler, "127.0.0.1", 0, limit=2**24) as server:
            client = http_client.HttpClient("127.0.0.1", server.sockets[0].getsockname()[1])
            try:
                return [
                    await client.request("POST", "/invocations", headers={"a": "b"}, body=body, seconds=seconds)
                    for _ in range(times)
                ]
            finally:
                client.close()

    return asyncio.run(run())


def answering(*pieces: bytes, close: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        writer.close()

    return handle


def test_an_answer_in_pieces_is_put_together() -> None:
    (reply,) = invocation(answering(b"HTTP/1.1 200 OK\r\nContent-", b"Length: 4\r\nX-Y: z\r\n\r\nab", b"cd"))
    assert (reply.status, reply.body, reply.headers["x-y"]) == (200, b"abcd", "z")


def test_an_answer_in_chunks_is_put_together() -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    assert [reply.body for reply in invocation(answering(chunks), times=3)] == [b"abcde"] * 3


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert [reply.body for reply in invocation(answering(whole, close=True), times=3)] == [b"ok"] * 3


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close=True), ContainerDown),
        (answering(b"", close=True), ContainerDown),
        (answering(b"<html>no HTTP</html>\r\n\r\n"), InvalidContainerResponse),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000), InvalidContainerResponse),
        (answering(b"HTTP/1.1 200 OK\r\n"), ContainerTimeout),
    ],
)
def test_no_whole_answer_is_a_named_error(handler: Handler, error: type[Exception]) -> None:
    with pytest.raises(error):
        invocation(handler, seconds=0.5 if error is ContainerTimeout else 600)


def test_a_large_body_arrives_whole() -> None:
    body = bytes(range(256)) * 20_000

    async def echo_length(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        received = await reader.readexactly(len(body))
        response = str(received == body).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(response), response))
        await writer.drain()
        writer.close()

    (reply,) = invocation(echo_length, body=body)
    assert reply.body == b"True"


def test_a_request_without_a_body_leaves_the_loop_at_rest() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    async def run() -> float:
        async with await asyncio.start_server(answering(whole), "127.0.0.1", 0) as server:
            client = http_client.HttpClient("127.0.0.1", server.sockets[0].getsockname()[1])
            await client.request("GET", "/ping", headers={}, body=b"", seconds=600)
            begun = time.process_time()
            await asyncio.sleep(0.5)
            client.close()
            return time.process_time() - begun

    assert asyncio.run(run()) < 0.25

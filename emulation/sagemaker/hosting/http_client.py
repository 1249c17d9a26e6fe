"""HTTP/1.1 to a model server over connections kept alive.

Most of an exchange's cost is here: a general client takes some twenty times as long.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import httptools

from emulation.sagemaker.errors import ContainerDown, ContainerTimeout, InvalidContainerResponse

MAX_RESPONSE_BYTES = 6 * 1024 * 1024
_MAX_IDLE = 64


@dataclass
class ContainerResponse:
    """A model server's response; header names are lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Connection(asyncio.Protocol):
    """One connection, one exchange at a time; the methods named ``on_...`` are called by the parser."""

    def __init__(self) -> None:
        self.reusable = False
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[ContainerResponse] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reply = ContainerResponse()
        self._chunks: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        self._fail(ContainerDown(f"the connection to the model server broke: {exc or 'closed before the response'}"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(InvalidContainerResponse(f"the model server's response is not HTTP: {error}"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= MAX_RESPONSE_BYTES:
            self._chunks.append(body)
        else:
            self._fail(InvalidContainerResponse(f"the model server's response is over {MAX_RESPONSE_BYTES} bytes"))
            self.close()

    def on_message_complete(self) -> None:
        self._reply.status = self._parser.get_status_code()
        self._reply.body = b"".join(self._chunks)
        self.reusable = self._parser.should_keep_alive()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(self._reply)

    async def exchange(self, head: bytes, body: bytes) -> ContainerResponse:
        if self._transport is None or self._transport.is_closing():
            raise ContainerDown("the connection to the model server is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._reply, self._chunks, self._size, self.reusable = ContainerResponse(), [], 0, False
        # From Python 3.12 on, an empty piece stays in the transport's buffer, and the loop never comes to rest.
        self._transport.writelines((head, body) if body else (head,))
        return await self._waiting

    def close(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.close()

    def _fail(self, error: ContainerDown | InvalidContainerResponse) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)


class HttpClient:
    """Sends requests to one model server; opens as many connections as there are requests at once."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._idle: list[_Connection] = []
        self._closed = False

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> ContainerResponse:
        """Send one request and return its response; a connection that the server has closed is replaced once.

        Raises ContainerDown, ContainerTimeout or InvalidContainerResponse.
        """
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._host}:{self._port}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        try:
            async with asyncio.timeout(seconds):
                return await self._send(head, body)
        except TimeoutError:
            raise ContainerTimeout(f"no response from the model server in {seconds:g} s") from None

    def close(self) -> None:
        """Close the idle connections; busy ones close when their exchange ends."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def _send(self, head: bytes, body: bytes) -> ContainerResponse:
        if self._idle:
            # A server may close an idle connection at any time, and inference has no side effects: try again, once.
            with contextlib.suppress(ContainerDown):
                return await self._exchange(self._idle.pop(), head, body)
        try:
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        except OSError as error:
            raise ContainerDown(f"no model server on {self._host}:{self._port}: {error}") from error
        return await self._exchange(connection, head, body)

    async def _exchange(self, connection: _Connection, head: bytes, body: bytes) -> ContainerResponse:
        try:
            reply = await connection.exchange(head, body)
        except BaseException:
            connection.close()
            raise
        if connection.reusable and not self._closed and len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return reply

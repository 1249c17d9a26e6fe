"""Limits on connections: how long a request may take to arrive, and how many connections may wait for one.

uvicorn limits neither: a thousand connections with half a request each kept everybody else out.
"""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


@dataclass(frozen=True)
class RequestLimits:
    """Seconds for a request's headers and for all of it, and how many connections may wait for a whole request."""

    header_seconds: float = 10.0
    request_seconds: float = 30.0
    waiting: int = 512


def limited_protocol(limits: RequestLimits) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol with these limits, for one server."""
    return type("LimitedProtocol", (_LimitedProtocol,), {"limits": limits, "waiting": {}})


class _LimitedProtocol(HttpToolsProtocol):
    """A connection waits from its start, and from each response, to the end of its next request.

    If too many wait, the one that has waited longest is closed: a client that sends its requests at once is served,
    however many others do not.
    """

    limits: ClassVar[RequestLimits]
    waiting: ClassVar[dict[asyncio.Protocol, asyncio.Transport]]
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        self._end_after(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        self._cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._end_after(self.limits.header_seconds)

    def on_headers_complete(self) -> None:
        self._end_after(self.limits.request_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.waiting.pop(self, None)
        self._cancel()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait()

    def _wait(self) -> None:
        self.waiting.pop(self, None)
        self.waiting[self] = self.transport
        if len(self.waiting) > self.limits.waiting:
            self.waiting.pop(next(iter(self.waiting))).close()

    def _end_after(self, seconds: float) -> None:
        self._cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

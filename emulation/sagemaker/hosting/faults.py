"""Faults for tests: what goes wrong on purpose with invocations, how often, and at which endpoint.

``PUT /_scones/faults`` adds one, ``GET`` lists them with how often each was injected, ``DELETE`` removes all. The route
exists only if the emulator was started with ``--faults``.
"""

import asyncio
import contextlib
import json
import math
import random
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from emulation.sagemaker.errors import (
    AccessDenied,
    AwsError,
    InternalDependency,
    InternalFailure,
    InvalidFault,
    ModelNotReady,
    ServiceUnavailable,
    Throttled,
)
from emulation.sagemaker.hosting.http_client import ContainerResponse
from emulation.sagemaker.request_body import read_body

CONNECTION = "scones.connection"
"""The key of a request's scope under which the server's transport is."""

_MAX_FAULTS = 100
_MAX_BODY_BYTES = 64 * 1024
_MAX_SECONDS = 120.0
_NAMED: Mapping[str, AwsError] = {
    "throttling": Throttled("Rate exceeded"),
    "unavailable": ServiceUnavailable("The service is currently unavailable. Please try again later."),
    "internal": InternalFailure("An internal failure occurred. Please try again later."),
    "dependency": InternalDependency("A dependency of the service failed. Please try again later."),
    "not-ready": ModelNotReady("The model is not ready to serve the inference request. Please try again later."),
    "denied": AccessDenied(
        "User: arn:aws:iam::000000000000:user/test is not authorized to perform: sagemaker:InvokeEndpoint because no "
        "identity-based policy allows the sagemaker:InvokeEndpoint action"
    ),
}
_RESPONSES: Mapping[str, tuple[str, bytes]] = {
    "nan": ("application/json", b"[NaN, NaN]"),
    "wrong-length": ("application/json", b"[0.2, 0.3, 0.5]"),
    "html": ("text/html", b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
}
KINDS = (*_NAMED, "latency", "hang", "half", *_RESPONSES, "reset")


@dataclass
class Fault:
    """One fault: at one endpoint, or with None at all; in ``share`` of the calls, at most ``count`` times.

    ``seconds`` is the delay of a fault of the kind latency.
    """

    kind: str
    endpoint: str | None = None
    share: float = 1.0
    seconds: float = 1.0
    count: int | None = None
    seed: int = 0
    injected: int = field(default=0, init=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - so that a test sees the same calls fail again

    def is_injected(self, endpoint: str) -> bool:
        """Tell whether to inject the fault into this call, and count it."""
        if self.endpoint not in {None, endpoint} or (self.count is not None and self.injected >= self.count):
            return False
        hit = self._random.random() < self.share
        self.injected += hit
        return hit

    def to_dict(self) -> dict[str, Any]:
        """Return the fault as the route lists it."""
        fields = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        return {"struck" if name == "injected" else name: value for name, value in fields.items()}


class Faults:
    """The active faults; at most one is injected into a call, the first that applies."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def next_fault(self, endpoint: str) -> Fault | None:
        """Return the fault to inject into a call of this endpoint, or None."""
        return next((fault for fault in self._faults if fault.is_injected(endpoint)), None)

    async def handle(self, request: Request) -> Response:
        """Handle the admin route."""
        if request.method == "PUT":
            try:
                fault = parse(await read_body(request, _MAX_BODY_BYTES) or b"")
                if len(self._faults) >= _MAX_FAULTS:
                    raise InvalidFault(f"there are {_MAX_FAULTS} faults already; remove them with DELETE")
            except InvalidFault as error:
                return JSONResponse({"message": str(error)}, 400)
            self._faults.append(fault)
        elif request.method == "DELETE":
            self._faults.clear()
        return JSONResponse({"faults": [fault.to_dict() for fault in self._faults]})


def parse(body: bytes) -> Fault:
    """Read a fault from JSON. Raises InvalidFault."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidFault(f"the body is not valid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidFault("the body is not a JSON object")
    known = {"kind", "endpoint", "share", "seconds", "count", "seed"}
    if unknown := sorted(fields.keys() - known):
        raise InvalidFault(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    if fields.get("kind") not in KINDS:
        raise InvalidFault(f"kind {fields.get('kind')!r} is not one of {', '.join(KINDS)}")
    fields = {name: value for name, value in fields.items() if value is not None}
    if not isinstance(fields.get("endpoint", ""), str):
        raise InvalidFault("endpoint must be a name, or null for all")
    for name, most in (("share", 1.0), ("seconds", _MAX_SECONDS)):
        value = fields.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _between(value, most):
            raise InvalidFault(f"{name} {value!r} is not a number from 0 to {most:g}")
    for name in ("count", "seed"):
        if isinstance(fields.get(name, 0), bool) or not isinstance(fields.get(name, 0), int):
            raise InvalidFault(f"{name} {fields[name]!r} is not a whole number")
    return Fault(**fields)


async def before(fault: Fault, request: Request) -> Response | None:
    """Inject what replaces or delays the model's invocation. Raises AwsError."""
    if fault.kind in _NAMED:
        named = _NAMED[fault.kind]
        raise type(named)(named.message)
    if fault.kind == "latency":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "hang":
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_gone(request), _MAX_SECONDS)
        return _Reset()
    return _Reset() if fault.kind == "reset" else None


def after(fault: Fault, reply: ContainerResponse) -> ContainerResponse:
    """Return the response that replaces the model's."""
    if fault.kind not in _RESPONSES:
        return reply
    content_type, body = _RESPONSES[fault.kind]
    return ContainerResponse(200, {**reply.headers, "content-type": content_type}, body)


class Half(Response):
    """A response that announces its whole body, sends half and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        scope[CONNECTION].close()
        await _disconnected(receive)


class _Reset(Response):
    """No response: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Reset the connection."""
        transport = scope[CONNECTION]
        connection = transport.get_extra_info("socket")
        if connection is not None and not transport.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        await _disconnected(receive)


async def _gone(request: Request) -> None:
    await _disconnected(request.receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _between(value: float, most: float) -> bool:
    try:
        return math.isfinite(value) and 0 <= value <= most
    except OverflowError:
        return False

"""The two routes of a SageMaker inference container: GET /ping and POST /invocations."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from training.serving.errors import (
    BodyTimeout,
    BodyTooLarge,
    InferenceTimeout,
    NotAcceptable,
    RequestError,
    ServerBusy,
    UnsupportedMediaType,
)
from training.serving.model import is_probably_neither

_CUSTOM_ATTRIBUTES: Final = "X-Amzn-SageMaker-Custom-Attributes"
"""The header that InvokeEndpoint passes on to its caller."""
THREADS: Final = 2  # a large image must not delay the small ones behind it

log = logging.getLogger(__name__)
IMAGE_TYPES: Final = ("image/png", "image/jpeg", "application/x-image")
RESPONSE_FORMATS: Final[Mapping[str, Callable[[Sequence[float]], str]]] = MappingProxyType(
    {
        "application/json": lambda probabilities: json.dumps(list(probabilities)),
        "application/jsonlines": lambda probabilities: json.dumps({"prediction": list(probabilities)}),
    }
)


class Classifier(Protocol):
    """Classifies an encoded image, as `training.serving.model.Model` does."""

    def classify(self, data: bytes, /) -> Sequence[float]:
        """Return the probability of each label. Raises an ImageError."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits of one worker: size and arrival time of a body, time of a prediction, requests in progress."""

    body_bytes: int = 6 * 1024 * 1024  # as InvokeEndpoint
    body_seconds: float = 30.0
    inference_seconds: float = 20.0  # decoding takes a second or two at most; the rest is waiting for a thread
    requests: int = 64  # each may hold a body


LIMITS: Final = WorkerLimits()


def create_app(classifier: Classifier, limits: WorkerLimits = LIMITS, *, knows_neither: bool = False) -> Starlette:
    """Return the application that serves the classifier; one that ``knows_neither`` says so in a header."""
    service = _Service(classifier, limits, knows_neither=knows_neither)
    return Starlette(
        routes=[Route("/ping", _ping), Route("/invocations", service.invoke, methods=["POST"])],
        exception_handlers={HTTPException: _unknown_route},
        lifespan=service.lifespan,
    )


class _Service:
    def __init__(self, classifier: Classifier, limits: WorkerLimits, *, knows_neither: bool) -> None:
        self._classifier = classifier
        self._knows_neither = knows_neither
        self._limits = limits
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="classify")
        self._requests = 0

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def invoke(self, request: Request) -> Response:
        started = time.perf_counter()
        fields: dict[str, Any] = {"content_type": excerpt(request.headers.get("content-type"))}
        self._requests += 1
        try:
            response = await self._predict(request, fields)
        except RequestError as error:
            fields |= {"error": type(error).__name__, "message": str(error)}
            response = _error_response(error.status, fields["error"], fields["message"])
        except ClientDisconnect:
            fields["error"] = "ClientDisconnect"
            response = Response(status_code=499)  # for the log alone
        except Exception as error:
            log.exception("failure")
            fields["error"] = type(error).__name__
            response = _error_response(
                500, "InternalFailure", "the server failed on this image: its log has the reason"
            )
        finally:
            self._requests -= 1
        fields |= {"status": response.status_code, "ms": round((time.perf_counter() - started) * 1000, 2)}
        log.info("invocation", extra={"fields": fields})
        return response

    async def _predict(self, request: Request, fields: dict[str, Any]) -> Response:
        if self._requests > self._limits.requests:
            raise ServerBusy(f"{self._limits.requests} requests are in progress: try again in a moment")
        check_content_type(request.headers.get("content-type"))
        response_type = choose_response_type(",".join(request.headers.getlist("accept")))
        body = await _read_body(request, self._limits)
        fields["bytes"] = len(body)
        probabilities = await self._classify(body)
        headers = {}
        if self._knows_neither:
            headers[_CUSTOM_ATTRIBUTES] = f"probably-neither={str(is_probably_neither(probabilities)).lower()}"
        return Response(RESPONSE_FORMATS[response_type](probabilities), headers=headers, media_type=response_type)

    async def _classify(self, body: bytes) -> Sequence[float]:
        loop, seconds = asyncio.get_running_loop(), self._limits.inference_seconds
        try:
            async with asyncio.timeout(seconds):
                return await loop.run_in_executor(self._pool, self._classifier.classify, body)
        except TimeoutError as error:
            raise InferenceTimeout(f"there is no prediction after {seconds:g} s: send a smaller image") from error


async def _ping(_: Request) -> Response:
    return Response(status_code=200)


async def _read_body(request: Request, limits: WorkerLimits) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.body_bytes:
        raise BodyTooLarge(
            f"the body has {declared} bytes, the limit is {limits.body_bytes} bytes: send a smaller image"
        )
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.body_bytes:
                    raise BodyTooLarge(f"the body is longer than {limits.body_bytes} bytes: send a smaller image")
    except TimeoutError as error:
        message = f"only {len(body)} bytes of the body arrived in {limits.body_seconds:g} s: send it again"
        raise BodyTimeout(message) from error
    return bytes(body)


def _unknown_route(request: Request, error: Exception) -> Response:
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    message = f"{request.method} {excerpt(request.url.path)} does not exist: use GET /ping or POST /invocations"
    return JSONResponse({"error": "NoSuchRoute", "message": message}, status, headers)


def _error_response(status: int, name: str, message: str) -> Response:
    headers = {"Retry-After": "1"} if status == ServerBusy.status else None
    return JSONResponse({"error": name, "message": message}, status, headers)


def check_content_type(header: str | None) -> None:
    """Accept any of the image types; the content is checked later. Raises UnsupportedMediaType."""
    if _media_type(header or "") not in IMAGE_TYPES:
        raise UnsupportedMediaType(f"Content-Type is {excerpt(header)!r}: send one image as {', '.join(IMAGE_TYPES)}")


def choose_response_type(accept: str | None) -> str:
    """Return the key of RESPONSE_FORMATS that the Accept header prefers, JSON where it has no preference.

    The most specific range that matches a type determines its quality (RFC 9110, 12.5.1). Raises NotAcceptable.
    """
    if not accept or not accept.strip():
        return next(iter(RESPONSE_FORMATS))
    qualities = dict(_quality(media_range) for media_range in accept.split(","))
    best = max(RESPONSE_FORMATS, key=lambda media_type: _quality_of(media_type, qualities))
    if _quality_of(best, qualities) <= 0:
        raise NotAcceptable(f"Accept is {excerpt(accept)!r}: the response is {' or '.join(RESPONSE_FORMATS)}")
    return best


def excerpt(header: str | None) -> str | None:
    """Return the beginning of a header for messages: a client may send a hundred thousand characters."""
    return header[:80] if header else header


def _quality_of(media_type: str, qualities: Mapping[str, float]) -> float:
    for media_range in (media_type, "application/*", "*/*"):
        if media_range in qualities:
            return qualities[media_range]
    return 0


def _quality(media_range: str) -> tuple[str, float]:
    for parameter in media_range.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return _media_type(media_range), _number(value)
    return _media_type(media_range), 1


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0), 1)
    except ValueError:
        return 0


def _media_type(header: str) -> str:
    return header.split(";", maxsplit=1)[0].strip().lower()

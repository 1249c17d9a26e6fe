"""The two routes of a SageMaker inference container: GET /ping and POST /invocations."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from training.serving.errors import BodyTimeout, BodyTooLarge, RequestError, ServerBusy
from training.serving.media_types import ANSWERS, check_content_type, choose_answer, excerpt

THREADS: Final = 2  # a large picture must not hold up the small ones behind it

log = logging.getLogger(__name__)


class Classifier(Protocol):
    """What turns an encoded image into [p_0, p_1], as `training.serving.model.Model` does."""

    def classify(self, data: bytes, /) -> Sequence[float]:
        """Return the probabilities; raise an ImageError for bytes that are no image to look at."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker takes on: the body of one request, the time it may take to arrive, requests at a time."""

    body_bytes: int = 6 * 1024 * 1024  # what InvokeEndpoint passes on
    body_seconds: float = 30.0
    requests: int = 64  # each may hold a body


LIMITS: Final = Limits()


def create_app(classifier: Classifier, limits: Limits = LIMITS) -> Starlette:
    """Return the application that answers with a classifier, which has answered its warm-up already."""
    service = _Service(classifier, limits)
    return Starlette(
        routes=[Route("/ping", _ping), Route("/invocations", service.invoke, methods=["POST"])],
        exception_handlers={HTTPException: _refuse_route},
        lifespan=service.lifespan,
    )


class _Service:
    def __init__(self, classifier: Classifier, limits: Limits) -> None:
        self._classifier = classifier
        self._limits = limits
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="classify")
        self._requests = 0

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._pool.shutdown()

    async def invoke(self, request: Request) -> Response:
        begun = time.perf_counter()
        fields: dict[str, Any] = {"content_type": excerpt(request.headers.get("content-type"))}
        self._requests += 1
        try:
            response = await self._answer(request, fields)
        except RequestError as error:
            fields |= {"error": type(error).__name__, "message": str(error)}
            response = _refusal(error.status, fields["error"], fields["message"])
        except ClientDisconnect:
            fields["error"] = "ClientDisconnect"
            response = Response(status_code=499)  # nobody reads it; the log does
        except Exception as error:
            log.exception("failure")
            fields["error"] = type(error).__name__
            response = _refusal(500, "InternalFailure", "the server failed on this image; its log says why")
        finally:
            self._requests -= 1
        fields |= {"status": response.status_code, "ms": round((time.perf_counter() - begun) * 1000, 2)}
        log.info("invocation", extra={"fields": fields})
        return response

    async def _answer(self, request: Request, fields: dict[str, Any]) -> Response:
        if self._requests > self._limits.requests:
            raise ServerBusy(f"{self._limits.requests} requests are under way already: try again in a moment")
        check_content_type(request.headers.get("content-type"))
        answer_type = choose_answer(",".join(request.headers.getlist("accept")))
        body = await _read_body(request, self._limits)
        fields["bytes"] = len(body)
        loop = asyncio.get_running_loop()
        probabilities = await loop.run_in_executor(self._pool, self._classifier.classify, body)
        return Response(ANSWERS[answer_type](probabilities), media_type=answer_type)


async def _ping(_: Request) -> Response:
    return Response(status_code=200)


async def _read_body(request: Request, limits: Limits) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.body_bytes:
        raise BodyTooLarge(f"the body has {declared} bytes, at most {limits.body_bytes} are read: send a smaller image")
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.body_bytes:
                    raise BodyTooLarge(f"the body is longer than {limits.body_bytes} bytes: send a smaller image")
    except TimeoutError as error:
        message = f"{len(body)} bytes arrived in {limits.body_seconds:g} s, and no end: send it again"
        raise BodyTimeout(message) from error
    return bytes(body)


def _refuse_route(request: Request, error: Exception) -> Response:
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    message = (
        f"there is no {request.method} {excerpt(request.url.path)}: GET /ping and POST /invocations are all there is"
    )
    return JSONResponse({"error": "NoSuchRoute", "message": message}, status, headers)


def _refusal(status: int, name: str, message: str) -> Response:
    headers = {"Retry-After": "1"} if status == ServerBusy.status else None
    return JSONResponse({"error": name, "message": message}, status, headers)

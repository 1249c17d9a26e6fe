"""The review page's server: a stateless Starlette app, which may be restarted at any time."""

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core.errors import SconesError
from core.labels import Labels
from core.queues import Message
from core.thumbnails import png_thumbnail
from review.errors import InvalidLabel
from review.failures import Redrive, explain, list_failures
from review.guard import Guard
from review.labelled_dataset import read_image
from review.labels import NEITHER
from review.reviewing import Reviewing
from review.tickets import Tickets

SIDE = 1024
_PAGE = Path(__file__).parent / "page"
_RESERVED_KEYS = frozenset("nu")


@dataclass(frozen=True)
class ReviewServer:
    """The handlers of the page's requests."""

    reviewing: Reviewing
    tickets: Tickets
    sqs: Any
    failure_queue_url: str
    redrive: Redrive

    def app(self, *, hosts: Collection[str] = (), token: str | None = None) -> Guard:
        """Return the guarded app; ``hosts`` are allowed besides loopback, ``token`` is required if there is one."""
        files = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}
        routes = [Route(path, functools.partial(_file, name)) for path, name in files.items()]
        routes += [Route("/image", self._endpoint(self._image)), Route("/api/state", self._endpoint(self._state))]
        routes += [Route("/api/failures", self._endpoint(self._failures))]
        actions = {
            "next": self._next, "label": self._label, "skip": self._skip, "undo": self._undo, "reserve": self._reserve,
            "release": self._release, "redrive": self._redrive,
        }  # fmt: skip
        routes += [Route(f"/api/{name}", self._action(action), methods=["POST"]) for name, action in actions.items()]
        return Guard(Starlette(routes=routes), frozenset(hosts), token)

    def _endpoint(self, handler: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(_reported, functools.partial(handler, request))

        return endpoint

    def _action(self, handler: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await request.json()
            except ValueError:
                body = None
            if not isinstance(body, dict):
                return JSONResponse({"error": "the request is not a JSON object"}, 400)
            return await run_in_threadpool(_reported, lambda: JSONResponse(handler(body)))

        return endpoint

    def _state(self, _request: Request) -> Response:
        labels = [{"name": name, "key": key} for name, key in keys(self.reviewing.labels).items()]
        counts = self.reviewing.manifest.counts()
        return JSONResponse({"labels": labels, "left": self.reviewing.left(), "counts": counts})

    def _image(self, request: Request) -> Response:
        image = self.tickets.read(request.query_params.get("ticket")).image
        png = png_thumbnail(read_image(self.reviewing.s3, image), SIDE) if image else None
        if png is None:
            return JSONResponse({"error": "the image cannot be decoded"}, 404)
        return Response(png, media_type="image/png", headers={"cache-control": "private, max-age=600"})

    def _failures(self, _request: Request) -> Response:
        failures = list_failures(self.sqs, self.failure_queue_url)
        return JSONResponse({"failures": [failure.to_dict() for failure in failures]})

    def _next(self, _body: dict[str, Any]) -> dict[str, Any]:
        message = self.reviewing.next()
        return {"item": self._shown(message) if message else None}

    def _label(self, body: dict[str, Any]) -> dict[str, Any]:
        message, name = self.tickets.read(body.get("ticket")), body.get("label")
        known = (*self.reviewing.labels, NEITHER)
        if name not in known:
            raise InvalidLabel(str(name), known)
        decided = self.reviewing.label([(message, name)])
        return {"label": decided[0].name if decided else name}

    def _skip(self, body: dict[str, Any]) -> dict[str, Any]:
        self.reviewing.skip(self.tickets.read(body.get("ticket")))
        return {}

    def _undo(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"item": self._shown(self.reviewing.undo(self.tickets.read(body.get("ticket"))))}

    def _reserve(self, body: dict[str, Any]) -> dict[str, Any]:
        self.reviewing.reserve(self._messages(body))
        return {}

    def _release(self, body: dict[str, Any]) -> dict[str, Any]:
        self.reviewing.reserve(self._messages(body), 0)
        return {}

    def _redrive(self, body: dict[str, Any]) -> dict[str, Any]:
        named = body.get("executions")
        return {"started": self.redrive([str(each) for each in named] if isinstance(named, list) else [])}

    def _messages(self, body: dict[str, Any]) -> list[Message]:
        tickets = body.get("tickets")
        return [self.tickets.read(ticket) for ticket in tickets] if isinstance(tickets, list) else []

    def _shown(self, message: Message) -> dict[str, Any]:
        return {
            "ticket": self.tickets.sign(message), "uri": str(message.image) if message.image else None,
            "inferences": message.inferences, "probably_neither": message.probably_neither,
            "reason": explain(message), "execution": message.body.get("execution_arn"),
        }  # fmt: skip


def keys(labels: Labels) -> dict[str, str]:
    """Return the key of each label: its first letter, or 1 and 2 where these would be ambiguous; ``n`` for neither."""
    letters = [label[0].lower() for label in labels]
    if letters[0] == letters[1] or _RESERVED_KEYS & set(letters) or not all(map(str.isalpha, letters)):
        letters = ["1", "2"]
    return {**dict(zip(labels, letters, strict=True)), NEITHER: "n"}


async def _file(name: str, _request: Request) -> Response:
    return FileResponse(_PAGE / name, headers={"cache-control": "no-cache"})


def _reported(handler: Callable[[], Response]) -> Response:
    """Run a handler; expected errors become a sentence for the page, which repeats requests that end in 503."""
    try:
        return handler()
    except SconesError as error:
        return JSONResponse({"error": str(error)}, 409)
    except (ClientError, BotoCoreError) as error:
        return JSONResponse({"error": f"AWS does not respond as expected: {error}"}, 503)

"""What a request must be before the application sees it: to this machine, from no other web origin, of AWS's types."""

import json
import re

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulation.localstack.scones_localstack import request_guard
from emulation.localstack.scones_localstack.request_guard import RequestGuard

_CHANGING = frozenset({"POST", "PUT", "PATCH"})
_SCOPE = re.compile(r"Credential=[^/,]*/[0-9]{8}/([^/,]*)/")
_WRONG_REGION = (
    "Credential should be scoped to a valid region, not '{}'. This emulator is in {}: create the client there, "
    "or start the emulator in another one with --region."
)
_AWS_JSON = "application/x-amz-json-1.1"


class GuardedApp:
    """Answers refused requests itself: 403 to those of other origins and names, 415 to contents of a wrong type.

    A page may send forms and plain text to another origin without asking; AWS's own types it may not.
    """

    def __init__(self, app: ASGIApp, guard: RequestGuard, region: str) -> None:
        self._app = app
        self._guard = guard
        self._region = region

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request or pass it on."""
        refused = self._refused(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        reason = self._guard.refusal(headers.get("host"), headers.get("origin"), headers.get("sec-fetch-site"))
        if reason is not None:
            return _error(request_guard.STATUS, request_guard.CODE, reason)
        region = _SCOPE.search(headers.get("authorization", ""))
        if region is not None and region[1] != self._region:
            return _error(400, "InvalidSignatureException", _WRONG_REGION.format(region[1][:40], self._region))
        required = _content_type(scope["path"]) if scope["method"] in _CHANGING else None
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if required is not None and content_type != required:
            return _error(415, "UnsupportedMediaTypeException", f"The Content-Type must be {required}.")
        return None


def _content_type(path: str) -> str | None:
    """Return the only type of content that a path takes; None for invocations, which take what the model takes."""
    if path.startswith("/endpoints/"):
        return None
    return _AWS_JSON if path == "/" else "application/json"


def _error(status: int, code: str, message: str) -> Response:
    content = json.dumps({"__type": code, "message": message})
    return Response(content, status, {"x-amzn-errortype": code}, media_type="application/json")

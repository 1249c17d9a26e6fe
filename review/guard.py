"""Refuses requests of other web origins, for other host names, or without the token."""

import hmac
import ipaddress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "scones-review"
_OWN_SITE = frozenset({"same-origin", "none"})
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Guard:
    """ASGI middleware. ``hosts`` are names that are allowed besides loopback; without ``token`` none is required.

    The token comes as ``?token=`` with the first request, which sets a cookie that no other site can send along.
    """

    app: ASGIApp
    hosts: frozenset[str] = frozenset()
    token: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        response = self._respond(Request(scope))
        await (response or self.app)(scope, receive, send_with_headers)

    def _respond(self, request: Request) -> Response | None:
        """Return the response of the guard itself, or None if the request may pass."""
        reason = self._refusal(request)
        if reason is not None:
            return PlainTextResponse(reason, 403)
        if self.token is None or self._is_token(_cookie(request)):
            return None
        if not self._is_token(QueryParams(request.scope["query_string"]).get("token", "")):
            return PlainTextResponse("open the URL with the token that `scones review --serve` printed", 401)
        response = RedirectResponse(request.url.path, 303)
        response.set_cookie(COOKIE, self.token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return response

    def _refusal(self, request: Request) -> str | None:
        host, headers = request.headers.get("host", ""), request.headers
        name = (request.url.hostname or "").lower()
        if not (is_loopback(name) or name in self.hosts):
            return f"the host name {name[:100]!r} is not allowed: add it with --host"
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host}".lower(), f"https://{host}".lower()}:
            return "requests of another web origin are refused"
        site = headers.get("sec-fetch-site", "none")
        is_link = request.method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if site not in _OWN_SITE and not is_link:
            return "requests of another web origin are refused"
        if request.method != "GET" and headers.get("content-type", "").partition(";")[0] != "application/json":
            return "only application/json is accepted"
        return None

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), (self.token or "").encode())


def _cookie(request: Request) -> str:
    try:
        morsel = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""

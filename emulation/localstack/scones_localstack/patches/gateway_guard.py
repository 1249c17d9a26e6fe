"""The request guard in LocalStack's chain of handlers, before S3 lets its own rules of CORS decide."""

import json
from html import escape
from typing import Any

from localstack.aws import handlers

from ..request_guard import CODE, STATUS, RequestGuard  # noqa: TID252 - a top-level package where LocalStack is


class GatewayGuard:
    """Ends the chain of a refused request with an error in the form that its service's clients read."""

    def __init__(self, guard: RequestGuard) -> None:
        self._guard = guard

    def __call__(self, chain: Any, context: Any, response: Any) -> None:
        """Refuse the request or leave it to the next handler."""
        headers = context.request.headers
        reason = self._guard.refusal(headers.get("Host"), headers.get("Origin"), headers.get("Sec-Fetch-Site"))
        if reason is None:
            return
        if "X-Amz-Target" in headers:
            content_type, body = "application/json", json.dumps({"__type": CODE, "message": reason})
        else:
            content_type, body = (
                "application/xml",
                f"<Error><Code>AccessDenied</Code><Message>{escape(reason)}</Message></Error>",
            )
        response.status_code = STATUS
        response.headers["Content-Type"] = content_type
        response.headers["x-amzn-errortype"] = CODE
        response.set_response(body)
        chain.terminate()  # no handler of responses either, which would add headers of CORS


def install() -> None:
    """Put the guard before all handlers that look at a request's content."""
    handlers.preprocess_request.handlers.insert(0, GatewayGuard(RequestGuard.from_settings()))

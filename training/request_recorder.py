"""Records the requests and responses of a session's clients, as they go over the wire."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3


@dataclass(frozen=True)
class RecordedRequest:
    """One request; ``parameters`` are the caller's arguments, ``body`` is what was sent."""

    service: str
    operation: str
    method: str
    url: str
    headers: dict[str, str]
    parameters: dict[str, Any]
    body: bytes

    @property
    def endpoint_url(self) -> str:
        """Scheme, host and port of the URL."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError if it is not JSON."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class RecordedResponse:
    """One response; ``body`` is None if it is a stream, which the caller reads."""

    service: str
    operation: str
    status: int
    body: bytes | None


@dataclass
class RequestRecorder:
    """Records all clients that ``session`` creates from now on; a retried request counts again."""

    session: boto3.Session
    requests: list[RecordedRequest] = field(default_factory=list)
    responses: list[RecordedResponse] = field(default_factory=list)
    _parameters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session.events.register("provide-client-params", self._record_parameters)
        self.session.events.register("before-send", self._record_request)
        self.session.events.register("after-call", self._record_response)

    def _record_parameters(self, params: dict[str, Any], event_name: str, **_: Any) -> None:
        self._parameters[event_name.split(".", 1)[1]] = dict(params)

    def _record_request(self, request: Any, event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:3]
        parameters = self._parameters.get(f"{service}.{operation}", {})
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        self.requests.append(
            RecordedRequest(service, operation, request.method, request.url, headers, parameters, body)
        )

    def _record_response(self, http_response: Any, model: Any, event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:3]
        body = None if model.has_streaming_output else bytes(http_response.content)
        self.responses.append(RecordedResponse(service, operation, int(http_response.status_code), body))


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)

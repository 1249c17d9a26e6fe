"""Which calls a session makes: each request and each answer as it goes over the wire."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3


@dataclass(frozen=True)
class Request:
    """One request; ``parameters`` are what its caller gave, ``body`` is what was sent."""

    service: str
    operation: str
    method: str
    url: str
    headers: dict[str, str]
    parameters: dict[str, Any]
    body: bytes

    @property
    def place(self) -> str:
        """Scheme, host and port that it was sent to."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Answer:
    """One answer; ``body`` is None where it is a stream, which is its caller's to read."""

    service: str
    operation: str
    status: int
    body: bytes | None


@dataclass
class Recorder:
    """Records what every client does that ``session`` makes from now on; a request that is repeated counts again."""

    session: boto3.Session
    requests: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    _given: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session.events.register("provide-client-params", self._called)
        self.session.events.register("before-send", self._sent)
        self.session.events.register("after-call", self._answered)

    def _called(self, params: dict[str, Any], event_name: str, **_: Any) -> None:
        self._given[event_name.split(".", 1)[1]] = dict(params)

    def _sent(self, request: Any, event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:3]
        given = self._given.get(f"{service}.{operation}", {})
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        self.requests.append(Request(service, operation, request.method, request.url, headers, given, body))

    def _answered(self, http_response: Any, model: Any, event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:3]
        body = None if model.has_streaming_output else bytes(http_response.content)
        self.answers.append(Answer(service, operation, int(http_response.status_code), body))


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)

"""A Docker engine in memory."""

from collections.abc import Iterator
from typing import Any


class FakeEngine:
    """Responds to building and pushing with these events; ``api`` and ``images`` are those of the Docker SDK."""

    def __init__(self, built: list[dict[str, Any]] | Exception, pushed: list[dict[str, Any]]) -> None:
        self.built, self.pushed = built, pushed
        self.api = self.images = self
        self.id = "sha256:image"
        self.credentials: dict[str, str] = {}

    def build(self, **_: Any) -> Iterator[dict[str, Any]]:
        if isinstance(self.built, Exception):
            raise self.built
        return iter(self.built)

    def get(self, _name: str) -> "FakeEngine":
        return self

    def push(self, _uri: str, _tag: str, *, auth_config: dict[str, str], **_: Any) -> Iterator[dict[str, Any]]:
        self.credentials = auth_config
        return iter(self.pushed)

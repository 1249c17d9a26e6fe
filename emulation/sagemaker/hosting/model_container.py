"""The container of a variant: its interface, and a stub that serves no model."""

import hashlib
import json
from collections.abc import Mapping
from typing import Protocol

from emulation.sagemaker.hosting.http_client import ContainerResponse


class ModelContainer(Protocol):
    """Serves invocations; ``restarts`` counts how often it was restarted."""

    restarts: int

    async def start(self) -> None:
        """Return when /ping is healthy; raise LaunchFailed with the endpoint's FailureReason."""

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> ContainerResponse:
        """Return the response to a request to /invocations. Raises ContainerError."""

    async def stop(self) -> None:
        """Stop it, and return when it has exited."""


class StubContainer:
    """Returns fixed probabilities, or without any, probabilities derived from the image's bytes."""

    def __init__(self, p_bicycle: float | None = None) -> None:
        self._p_bicycle = p_bicycle
        self.restarts = 0

    async def start(self) -> None:
        """Do nothing."""

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> ContainerResponse:  # noqa: ARG002 - ModelContainer's
        """Return ``[p_bicycle, p_motorcycle]``; derived ones are uniform in 0 to 1."""
        probability = self._p_bicycle
        if probability is None:
            probability = int.from_bytes(hashlib.sha256(body).digest()[:4]) / 0xFFFFFFFF
        content = json.dumps([round(probability, 6), round(1 - probability, 6)]).encode()
        return ContainerResponse(200, {"content-type": "application/json"}, content)

    async def stop(self) -> None:
        """Do nothing."""

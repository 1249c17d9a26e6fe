"""The container of a variant: its interface, several in series, and a stub that serves no model."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Protocol

from emulation.sagemaker.hosting.http_client import ContainerResponse


class ModelContainer(Protocol):
    """Serves invocations."""

    @property
    def restarts(self) -> int:
        """How often it was restarted."""

    async def start(self) -> None:
        """Return when /ping is healthy; raise LaunchFailed with the endpoint's FailureReason."""

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> ContainerResponse:
        """Return the response to a request to /invocations. Raises ContainerError."""

    async def stop(self) -> None:
        """Stop it, and return when it has exited."""


class InferencePipeline:
    """Containers in series: each gets the response of the one before, with its content type."""

    def __init__(self, containers: Sequence[ModelContainer]) -> None:
        self._containers = containers

    @property
    def restarts(self) -> int:
        """How often any of them was restarted."""
        return sum(container.restarts for container in self._containers)

    async def start(self) -> None:
        """Start one after the other."""
        for container in self._containers:
            await container.start()

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> ContainerResponse:
        """Return the last container's response, or that of the first that fails."""
        reply = ContainerResponse(200, {}, body)
        for container in self._containers:
            reply = await container.invoke(headers, reply.body)
            if not 200 <= reply.status < 300:
                break
            headers = {**headers, "content-type": reply.headers.get("content-type", "application/octet-stream")}
        return reply

    async def stop(self) -> None:
        """Stop all."""
        await asyncio.gather(*(container.stop() for container in self._containers))


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

"""One configuration of one endpoint in service: its variants, their shares of the traffic, their containers."""

import asyncio
import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from emulation.sagemaker.capture import CaptureWriter
from emulation.sagemaker.hosting.http_client import ContainerResponse
from emulation.sagemaker.hosting.model_server import INVOCATION_SECONDS


@dataclass
class ContainerPlan:
    """What a container is to serve; ``artifact`` and ``code`` are the keys of its unpacked archives."""

    image: str
    model_url: str | None
    environment: dict[str, str]
    artifact: str | None = None
    code: str | None = None


@dataclass
class VariantPlan:
    """What a production variant is to serve: a snapshot, because model and configuration may be deleted.

    Several containers are an inference pipeline.
    """

    name: str
    weight: float
    instances: int
    containers: list[ContainerPlan]
    health_seconds: float | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "VariantPlan":
        """Read what EndpointPlan wrote; version 1.0 wrote the members of the only container among the variant's."""
        own = {name: data[name] for name in ("image", "model_url", "environment", "artifact") if name in data}
        containers = data.get("containers", [own])
        rest = {name: value for name, value in data.items() if name not in {*own, "containers"}}
        return cls(**rest, containers=[ContainerPlan(**container) for container in containers])


@dataclass
class EndpointPlan:
    """What an endpoint is to serve."""

    config_name: str
    variants: list[VariantPlan]
    capture: dict[str, Any] | None = None
    since: float = 0.0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "EndpointPlan":
        """Read what ``to_dict`` wrote."""
        return cls(**{**data, "variants": [VariantPlan.from_dict(variant) for variant in data["variants"]]})

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return asdict(self)


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


@dataclass
class Variant:
    """A production variant in service."""

    plan: VariantPlan
    container: ModelContainer
    capture: CaptureWriter | None


@dataclass
class Deployment:
    """The variants in service for an endpoint, until another deployment replaces them."""

    plan: EndpointPlan
    variants: Sequence[Variant]
    random_generator: random.Random
    _busy: int = field(default=0, init=False)
    _idle: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def choose(self, target: str | None) -> Variant | None:
        """Return the variant named ``target``, or None if it does not exist; without ``target``, choose by weight."""
        if target is not None:
            return next((variant for variant in self.variants if variant.plan.name == target), None)
        if len(self.variants) == 1:
            return self.variants[0]
        largest = max(variant.plan.weight for variant in self.variants)
        weights = [variant.plan.weight / largest if largest else 1.0 for variant in self.variants]
        return self.random_generator.choices(self.variants, weights)[0]

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count a request, so that ``stop`` waits for it."""
        self._busy += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if self._busy == 0:
                self._idle.set()

    async def stop(self, drain_seconds: float = INVOCATION_SECONDS) -> None:
        """Wait for the requests in progress, then stop the containers."""
        if self._busy:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), drain_seconds)
        await asyncio.gather(*(variant.container.stop() for variant in self.variants))

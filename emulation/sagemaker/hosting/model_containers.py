"""The container of a variant: a model server, several in series, or a stub that serves no model."""

import asyncio
import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulation.processes.parent_watcher import ParentPipe
from emulation.sagemaker.errors import UnhealthyContainer
from emulation.sagemaker.frameworks import Interpreters
from emulation.sagemaker.hosting import inference_script
from emulation.sagemaker.hosting.deployment import ContainerPlan, EndpointPlan, ModelContainer, VariantPlan
from emulation.sagemaker.hosting.http_client import ContainerResponse
from emulation.sagemaker.hosting.model_artifacts import ModelArtifacts
from emulation.sagemaker.hosting.model_server import Command, ModelServer, ModelServerSpec, Prepare
from emulation.sagemaker.hosting.server_log import GROUP
from emulation.sagemaker.log_stream import LogStream

_HEALTH_SECONDS = 300.0


@dataclass(frozen=True)
class HostingEnvironment:
    """The environment of the model servers; ``command`` starts the production server."""

    command: Command
    logs: Path
    logs_client: Any
    parent_pipe: ParentPipe
    interpreters: Interpreters
    region: str


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


class ContainerFactory:
    """Fetches models and makes their servers, which are not started yet; a stub replaces all of them."""

    def __init__(self, models: ModelArtifacts | StubContainer, hosting: HostingEnvironment) -> None:
        self._models = models
        self._hosting = hosting
        self._random = random.Random()  # noqa: S311 - names of instances, no secrets

    async def make(self, endpoint: str, planned: VariantPlan) -> ModelContainer:
        """Return the container of a variant. Raises LaunchFailed with the endpoint's FailureReason."""
        if isinstance(self._models, StubContainer):
            return self._models
        instance = f"i-{self._random.getrandbits(68):017x}"
        servers = []
        for number, container in enumerate(planned.containers):
            suffix = f"-container-{number + 1}" if len(planned.containers) > 1 else ""
            log_file = self._hosting.logs / f"{endpoint}-{planned.name}{suffix}.log"
            stream = LogStream(
                self._hosting.logs_client, GROUP.format(endpoint=endpoint), f"{planned.name}/{instance}{suffix}"
            )
            servers.append(await self._server(self._models, planned, container, log_file, stream))
        return servers[0] if len(servers) == 1 else InferencePipeline(servers)

    async def _server(
        self, source: ModelArtifacts, planned: VariantPlan, container: ContainerPlan, log_file: Path, stream: LogStream
    ) -> ModelServer:
        if container.model_url is None:
            raise UnhealthyContainer(planned.name, "no ModelDataUrl, nothing to serve.")
        artifact = await source.fetch(container.model_url, container.artifact)
        container.artifact = artifact.key
        code = None
        if (code_url := inference_script.code_url(container)) is not None:
            fetched = await source.fetch(code_url, container.code)
            container.code, code = fetched.key, fetched.directory
        script = inference_script.find(planned.name, container, artifact.directory, code)
        prepare: Prepare = self._production_server if script is None else script.preparation(self._hosting.interpreters)
        spec = ModelServerSpec(
            prepare,
            artifact.directory,
            inference_script.environment(container, artifact.directory, self._hosting.region),
            log_file,
            planned.name,
            planned.health_seconds or _HEALTH_SECONDS,
            stream,
        )
        return ModelServer(spec, self._hosting.parent_pipe)

    async def _production_server(self, _: object) -> Command:
        return self._hosting.command

    def delete_unused(self, plans: Iterable[EndpointPlan]) -> None:
        """Delete the unpacked models that none of the endpoints is served from."""
        if isinstance(self._models, ModelArtifacts):
            containers = [each for plan in plans for variant in plan.variants for each in variant.containers]
            self._models.delete_unused({key for each in containers for key in (each.artifact, each.code) if key})

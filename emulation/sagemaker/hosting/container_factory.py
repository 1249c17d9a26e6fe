"""Makes the containers of a variant: model servers for its models, one after the other if they are a pipeline."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulation.processes.parent_watcher import ParentPipe
from emulation.sagemaker.errors import UnhealthyContainer
from emulation.sagemaker.frameworks import Interpreters
from emulation.sagemaker.hosting import inference_script
from emulation.sagemaker.hosting.alarms import Alarms
from emulation.sagemaker.hosting.deployment import ContainerPlan, VariantPlan
from emulation.sagemaker.hosting.model_artifacts import ModelArtifacts
from emulation.sagemaker.hosting.model_container import InferencePipeline, ModelContainer, StubContainer
from emulation.sagemaker.hosting.model_server import Command, ModelServer, ModelServerSpec, Prepare
from emulation.sagemaker.hosting.server_log import GROUP
from emulation.sagemaker.log_stream import LogStream

_HEALTH_SECONDS = 60.0
_SCRIPT_HEALTH_SECONDS = 300.0


@dataclass(frozen=True)
class HostingEnvironment:
    """The environment of the model servers; ``command`` starts the production server."""

    command: Command
    logs: Path
    logs_client: Any
    parent_pipe: ParentPipe
    alarms: Alarms
    interpreters: Interpreters
    region: str


class ContainerFactory:
    """Fetches models and makes their servers, which are not started yet."""

    def __init__(
        self, source: ModelArtifacts | StubContainer, hosting: HostingEnvironment, generator: random.Random
    ) -> None:
        self._source = source
        self._hosting = hosting
        self._random = generator

    async def make(self, endpoint: str, planned: VariantPlan) -> ModelContainer:
        """Return the container of a variant. Raises LaunchFailed with the endpoint's FailureReason."""
        if isinstance(self._source, StubContainer):
            return self._source
        instance = f"i-{self._random.getrandbits(68):017x}"
        servers = []
        for number, container in enumerate(planned.containers):
            suffix = f"-container-{number + 1}" if len(planned.containers) > 1 else ""
            log_file = self._hosting.logs / f"{endpoint}-{planned.name}{suffix}.log"
            stream = LogStream(
                self._hosting.logs_client, GROUP.format(endpoint=endpoint), f"{planned.name}/{instance}{suffix}"
            )
            servers.append(await self._server(self._source, planned, container, log_file, stream))
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
            planned.health_seconds or (_HEALTH_SECONDS if script is None else _SCRIPT_HEALTH_SECONDS),
            stream,
        )
        return ModelServer(spec, self._hosting.parent_pipe)

    async def _production_server(self, _: object) -> Command:
        return self._hosting.command

"""The HTTP application: control plane, InvokeEndpoint, schedules and health, and what runs in the background."""

import asyncio
import contextlib
import functools
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulation.localstack.scones_localstack.request_guard import RequestGuard
from emulation.processes.parent_watcher import ParentPipe
from emulation.sagemaker import aws_clients
from emulation.sagemaker.capture import CaptureBuffer, Thresholds
from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.control.control_plane import OPERATIONS, ControlPlane
from emulation.sagemaker.control.schedules import Caller, Schedules
from emulation.sagemaker.frameworks import Interpreters
from emulation.sagemaker.guarded_app import GuardedApp
from emulation.sagemaker.hosting.alarms import Alarms
from emulation.sagemaker.hosting.endpoint_instances import EndpointInstances
from emulation.sagemaker.hosting.faults import CONNECTION, Faults
from emulation.sagemaker.hosting.invoke_endpoint import InvokeEndpoint
from emulation.sagemaker.hosting.model_artifacts import ModelArtifacts
from emulation.sagemaker.hosting.model_containers import ContainerFactory, HostingEnvironment, StubContainer
from emulation.sagemaker.hosting.model_server import Command
from emulation.sagemaker.store import Account, Kind, Store
from emulation.sagemaker.training.job_runner import JobRunner, TrainingEnvironment

_NOT_EMULATED = {"async-invocations": "InvokeEndpointAsync"}
"""Calls of the runtime by the end of their paths."""


@dataclass(frozen=True)
class EmulatorOptions:
    """The configuration of an emulator.

    ``models`` provides the models; ``s3_client`` receives captures, None discards them; ``logs_client`` receives the
    logs of training jobs; ``alarms_client`` reports alarms during the bake time of an update, at most ``bake_seconds``;
    ``faults`` enables the route that injects them; ``python`` is the interpreter that trains and runs handlers, by
    default one with the image's framework, which may be installed below ``cache``; ``guard`` decides which requests are
    refused.
    """

    state_dir: Path
    region: str
    s3_client: aws_clients.S3 | None
    models: ModelArtifacts | StubContainer
    command: Command
    logs_client: Any = None
    alarms_client: Any = None
    bake_seconds: float = 5.0
    python: str | None = None
    cache: Path | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    faults: bool = False
    now: Callable[[], float] = time.time
    guard: RequestGuard = field(default_factory=RequestGuard.from_settings)


def create_app(options: EmulatorOptions) -> ASGIApp:
    """Return the application; endpoints are restored and model servers run from its startup to its shutdown."""
    root = options.state_dir
    (logs := root / "logs").mkdir(parents=True, exist_ok=True)
    store = Store(root / "records", Account(options.region))
    capture_buffer = CaptureBuffer(root / "captures", options.s3_client, options.thresholds)
    parent_pipe = ParentPipe()
    cache = options.cache or root / "cache"
    hosting = HostingEnvironment(
        options.command,
        logs,
        options.logs_client,
        parent_pipe,
        Interpreters(options.python, cache),
        options.region,
    )
    alarms = Alarms(options.alarms_client, options.bake_seconds)
    instances = EndpointInstances(store, ContainerFactory(options.models, hosting), capture_buffer, alarms, options.now)
    training = JobRunner(store, _training_environment(options, cache, logs, parent_pipe), options.now)
    context = OperationContext(store, instances, training, options.models, options.now)
    loader = botocore.session.get_session()
    model = loader.get_service_model("sagemaker")
    control = ControlPlane(context, model, loader.get_service_model("application-autoscaling"))
    caller = Caller(frozenset(OPERATIONS), functools.partial(control.perform, str(model.metadata["targetPrefix"])))
    schedules = Schedules(store, loader.get_service_model("scheduler"), caller, options.now)
    faults = Faults()
    invoke_endpoint = InvokeEndpoint(
        store, instances.serving, loader.get_service_model("sagemaker-runtime"), options.now, faults
    )

    async def health(_: Request) -> JSONResponse:
        return JSONResponse(_health(store, instances, capture_buffer))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        instances.restore()
        training.restore()
        background = [asyncio.create_task(work) for work in (capture_buffer.run(), schedules.run())]
        try:
            yield
        finally:
            await asyncio.gather(instances.close(), training.close())
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            await capture_buffer.flush()
            parent_pipe.close()

    routes = [
        Route("/", control.handle, methods=["POST"]),
        Route("/endpoints/{name}/invocations", invoke_endpoint.handle, methods=["POST"]),
        Route("/endpoints/{name}/invocations-response-stream", invoke_endpoint.handle_stream, methods=["POST"]),
        Route("/schedules/{name}", schedules.handle, methods=["POST", "PUT", "GET", "DELETE"]),
        Route("/_scones/health", health),
    ]
    if options.faults:
        routes.append(Route("/_scones/faults", faults.handle, methods=["GET", "PUT", "DELETE"]))
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _unknown, 405: _unknown})
    return _Requests(GuardedApp(app, options.guard, options.region))


def _training_environment(
    options: EmulatorOptions, cache: Path, logs: Path, parent_pipe: ParentPipe
) -> TrainingEnvironment:
    return TrainingEnvironment(
        options.s3_client,
        options.logs_client,
        options.alarms_client,
        options.python,
        cache,
        options.state_dir / "training",
        logs,
        parent_pipe,
    )


def _health(store: Store, instances: EndpointInstances, capture_buffer: CaptureBuffer) -> dict[str, Any]:
    jobs, endpoints = store.all(Kind.TRAINING_JOB), store.all(Kind.ENDPOINT)
    return {
        "status": "ok",
        "endpoints": {record.name: record.described["EndpointStatus"] for record in endpoints},
        "training_jobs": {record.name: record.described["SecondaryStatus"] for record in jobs},
        "model_server_restarts": instances.restarts(),
        "captures": {
            "recorded": capture_buffer.recorded,
            "uploaded": capture_buffer.uploaded,
            "lost": capture_buffer.lost,
            "files_waiting": capture_buffer.waiting(),
        },
    }


async def _unknown(request: Request, _: Exception) -> JSONResponse:
    call = _NOT_EMULATED.get(request.url.path.rpartition("/")[2])
    text = f"{call} is not emulated." if call else f"There is no operation {request.method} {request.url.path[:200]}."
    body = {"message": text}
    return JSONResponse(body, 404, {"x-amzn-errortype": "UnknownOperationException"})


class _Requests:
    """Adds the request ID to every response, and ignores clients that disconnect during a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        request_id = (b"x-amzn-requestid", str(uuid.uuid4()).encode())

        async def send_numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], request_id]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cycle = getattr(send, "__self__", None)  # uvicorn's; the only way to its connection
        scope[CONNECTION] = getattr(cycle, "transport", None)
        with contextlib.suppress(ClientDisconnect):
            await self._app(scope, receive, send_numbered)

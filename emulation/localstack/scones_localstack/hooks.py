"""The hooks by which LocalStack 4.14 installs this package's patches."""

import importlib
import logging
import threading

from localstack.runtime import hooks

from . import settings
from .patches import garbage_collection, gateway_interface, jsonpaths, postponed_imports, service_models

LOG = logging.getLogger(__name__)
_PATCHED = ["stepfunctions", "lambda", "s3", "events"]


@hooks.on_runtime_create()
def patch_gateway() -> None:
    """Change where LocalStack listens, and which requests it refuses."""
    from .patches import gateway_guard  # noqa: PLC0415 - LocalStack's handlers import much of it

    gateway_interface.install()
    gateway_guard.install()
    jsonpaths.install()


@hooks.on_runtime_create(priority=100)
def shorten_start() -> None:
    """Postpone imports and garbage collection and cache service models, before LocalStack loads more."""
    garbage_collection.postpone()
    postponed_imports.install()
    service_models.install()


@hooks.on_infra_ready()
def load_services_early() -> None:
    """Load the services of the setting, so that the first request to each does not wait for that."""
    threading.Thread(target=_warm_up, args=(settings.preloaded_services(),), name="warmup", daemon=True).start()


def _warm_up(names: list[str]) -> None:
    """Patch state machines and functions, then load the other services.

    Loaded by its plugin, a service is imported once however many ask for it at once. Two threads that import the
    modules of one, which import each other, may find them half imported.
    """
    try:
        _load(_PATCHED)
        _patch_services()
        _load(names)
    finally:
        garbage_collection.resume()


def import_everything() -> None:
    """Import what a start imports, outside of a running LocalStack."""
    importlib.import_module("localstack.aws.app")  # the gateway with all its handlers
    _load(settings.preloaded_services())
    _patch_services()


def _patch_services() -> None:
    from .patches import (  # noqa: PLC0415 - what they change is imported after LocalStack's start
        assumed_roles,
        content_types,
        distributed_map,
        execution_memory,
        function_invocation,
        function_logs,
        function_metrics,
        internal_events,
        metric_connections,
        object_files,
        operation_models,
        parsed_definitions,
        pending_executions,
        resource_polling,
    )

    resource_polling.install()
    pending_executions.install()
    distributed_map.install()
    execution_memory.install()
    parsed_definitions.install()
    assumed_roles.install()
    content_types.install()
    function_invocation.install()
    function_logs.install()
    function_metrics.install()
    internal_events.install()
    metric_connections.install()
    object_files.install()
    operation_models.install()


def _load(names: list[str]) -> None:
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - not before the runtime is up

    for name in names:
        try:
            SERVICE_PLUGINS.require(name)
        except Exception:
            LOG.exception("Service %s could not be loaded; requests to it will say why", name)

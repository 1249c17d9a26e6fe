"""What LocalStack 4.14 is made to do otherwise, hooked in where it asks for it."""

import logging
import threading
from functools import lru_cache, partial

import jsonpath_ng
import jsonpath_ng.ext
from localstack import config
from localstack.runtime import hooks
from twisted.internet import endpoints

from . import settings
from .patches import garbage_collection, postponed_imports, service_models

LOG = logging.getLogger(__name__)


@hooks.on_runtime_create()
def listen_where_told() -> None:
    """Listen on GATEWAY_LISTEN's interface; LocalStack takes only the port from it and listens on every interface."""
    endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface=config.GATEWAY_LISTEN[0].host)


@hooks.on_runtime_create()
def refuse_other_origins() -> None:
    """Refuse requests of web pages; LocalStack's own check lets through what it takes for a request to S3."""
    from . import gateway_guard  # noqa: PLC0415 - LocalStack's handlers import much of it

    gateway_guard.install()


@hooks.on_runtime_create()
def parse_each_jsonpath_once() -> None:
    """Remember parsed JSONPaths; the parser builds its tables anew for every path of every state that runs."""
    jsonpath_ng.parse = lru_cache(maxsize=4096)(jsonpath_ng.parse)
    jsonpath_ng.ext.parse = lru_cache(maxsize=4096)(jsonpath_ng.ext.parse)


@hooks.on_runtime_create(priority=100)
def start_with_less() -> None:
    """Load what our stacks need, read each file once and collect no garbage meanwhile; before LocalStack loads more."""
    garbage_collection.postpone()
    postponed_imports.install()
    service_models.install()


@hooks.on_infra_ready()
def load_services_early() -> None:
    """Load the services of the setting, so that the first request to each does not wait for that."""
    threading.Thread(target=_warm_up, args=(settings.preloaded_services(),), name="warmup", daemon=True).start()


def _warm_up(names: list[str]) -> None:
    try:
        _load(names)
    finally:
        garbage_collection.resume()


@hooks.on_infra_ready(priority=10)
def run_state_machines_otherwise() -> None:
    """Make Distributed Maps do as AWS does, and states cost less; beside the start, as the imports take a second."""
    threading.Thread(target=_change_state_machines, name="state-machines", daemon=True).start()


def import_everything() -> None:
    """Import what a start imports, outside of a running LocalStack."""
    from localstack.aws import app  # noqa: F401, PLC0415 - the gateway with all its handlers

    _load(settings.preloaded_services())
    _change_state_machines()


def _change_state_machines() -> None:
    from .patches import distributed_map, parsed_definitions, pending_executions, performance, resource_polling  # noqa: PLC0415

    resource_polling.install()
    pending_executions.install()
    distributed_map.install()
    parsed_definitions.install()
    performance.install()


def _load(names: list[str]) -> None:
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - not before the runtime is up

    for name in names:
        try:
            SERVICE_PLUGINS.require(name)
        except Exception:
            LOG.exception("Service %s could not be loaded; requests to it will say why", name)

"""Settings of a process of the local environment, from its environment: LocalStack with this plugin, and the others.

It lives in this package, on the standard library alone, because LocalStack runs in its own environment.
"""

import json
import os
from dataclasses import dataclass

PARENT_PIPE_VARIABLE = "SCONES_PARENT_PIPE_FD"
CONTAINERS_VARIABLE = "SCONES_LAMBDA_CONTAINERS"
ZIP_HOST_VARIABLE = "SCONES_LAMBDA_ZIP_HOST"
PRELOADED_SERVICES_VARIABLE = "SCONES_PRELOADED_SERVICES"
ALLOWED_HOSTS_VARIABLE = "SCONES_ALLOWED_HOSTS"


@dataclass(frozen=True)
class ZipHost:
    """The command of a Lambda host, and the environment it runs with."""

    command: list[str]
    environment: dict[str, str]


def take_parent_pipe() -> int | None:
    """Return the read end of the parent's pipe, or None, and remove it from what grandchildren inherit."""
    descriptor = os.environ.pop(PARENT_PIPE_VARIABLE, None)
    return None if descriptor is None else int(descriptor)


def function_containers() -> str:
    """Return NAME=URL pairs, separated by commas."""
    return os.environ.get(CONTAINERS_VARIABLE, "")


def zip_host() -> ZipHost | None:
    """Return how hosts of zip functions are started, or None if there is no interpreter for them."""
    text = os.environ.get(ZIP_HOST_VARIABLE)
    return None if text is None else ZipHost(**json.loads(text))


def preloaded_services() -> list[str]:
    """Return the services that LocalStack loads at its start, in this order."""
    return os.environ.get(PRELOADED_SERVICES_VARIABLE, "").split()


def allowed_hosts() -> frozenset[str]:
    """Return the host names, besides loopback, under which requests are served."""
    names = (name.strip().lower() for name in os.environ.get(ALLOWED_HOSTS_VARIABLE, "").split(","))
    return frozenset(name for name in names if name)

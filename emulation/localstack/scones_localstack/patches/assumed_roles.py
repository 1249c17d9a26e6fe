"""Assumes the role of a state machine once every 15 minutes.

LocalStack 4.14 assumes it for each task of each execution, and makes a new client for it.
"""

import time
from functools import lru_cache
from typing import Any

from localstack.services.stepfunctions.asl.utils import boto_client

_ROLE_SECONDS = 900


def install() -> None:
    """Replace the factory from which tasks get their clients."""
    boto_client.connect_to = CachedRoles(boto_client.connect_to)


class CachedRoles:
    """Caches client factories by role and period."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self._assumed = lru_cache(maxsize=64)(self._assume)

    def with_assumed_role(self, **role: Any) -> Any:
        """Return a factory of clients with the role's credentials."""
        return self._assumed(int(time.monotonic() // _ROLE_SECONDS), *role.items())

    def _assume(self, _period: int, *role: tuple[str, Any]) -> Any:
        return self._connector.with_assumed_role(**dict(role))

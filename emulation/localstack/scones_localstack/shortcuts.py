"""What LocalStack does anew for every state of every execution, though once is enough."""

import time
from functools import lru_cache
from typing import Any

from localstack.services.stepfunctions.asl.utils import boto_client
from twisted.web import http

_ROLE_SECONDS = 900


class RememberedRoles:
    """Assumes a role once in a quarter of an hour; LocalStack does for each task, and makes a new client for it."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self._assumed = lru_cache(maxsize=64)(self._assume)

    def with_assumed_role(self, **wanted: Any) -> Any:
        """Return a factory of clients with the role's credentials."""
        return self._assumed(int(time.monotonic() // _ROLE_SECONDS), *wanted.items())

    def _assume(self, _period: int, *wanted: tuple[str, Any]) -> Any:
        return self._connector.with_assumed_role(**dict(wanted))


def install() -> None:
    """Remember roles, and what a Content-Type header says, for which twisted asks a parser of e-mails."""
    boto_client.connect_to = RememberedRoles(boto_client.connect_to)
    http._parseContentType = lru_cache(maxsize=256)(http._parseContentType)  # noqa: SLF001

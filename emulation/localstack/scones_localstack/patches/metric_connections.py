"""Closes connections to the database of metrics.

LocalStack 4.14 opens one for each metric and leaves it to garbage collection, which runs once a minute: 85 KB each,
which are 2 MiB at half an image a second (November 2026).
"""

import sqlite3
from functools import partial
from types import SimpleNamespace, TracebackType
from typing import Literal

from localstack.services.cloudwatch import cloudwatch_database_helper


class ClosedConnection(sqlite3.Connection):
    """A connection that its ``with`` statement closes."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Commit or roll back, and close."""
        try:
            return super().__exit__(kind, value, trace)
        finally:
            self.close()


def install() -> None:
    """Open such connections."""
    connect = partial(sqlite3.connect, factory=ClosedConnection)
    cloudwatch_database_helper.sqlite3 = SimpleNamespace(connect=connect)

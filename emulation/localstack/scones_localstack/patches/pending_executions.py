"""Executions that have been accepted and have not begun, about which LocalStack 4.14 returns an error.

It looks for Map Runs in every execution that it has, and each is without a worker at first and without its environment
until its definition is parsed, which takes a moment under load.
"""

from typing import Any

from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.iteration.itemprocessor import (
    map_run_record,
)
from localstack.services.stepfunctions.backend.execution import Execution
from localstack.services.stepfunctions.backend.execution_worker import ExecutionWorker


class _Events:
    """Nothing has happened."""

    def get_event_history(self) -> list[Any]:
        """Return no events."""
        return []


class _Environment:
    """Has no Map Runs and no history, and counts as none where LocalStack asks whether there is one."""

    map_run_record_pool_manager = map_run_record.MapRunRecordPoolManager()
    event_manager = _Events()

    def __bool__(self) -> bool:
        return False


class _Worker:
    """Stands where a worker will be."""

    env = _Environment()

    def __bool__(self) -> bool:
        return False


def install() -> None:
    """Let an execution have a worker, and a worker an environment, from the beginning."""
    Execution.exec_worker = _standing_in("exec_worker", _Worker())
    ExecutionWorker.env = _standing_in("env", _Environment())


def _standing_in(name: str, substitute: Any) -> property:
    """Return an attribute that is ``substitute`` while it is None."""

    def get(owner: Any) -> Any:
        existing = vars(owner).get(name)
        return substitute if existing is None else existing

    def put(owner: Any, value: Any) -> None:
        vars(owner)[name] = value

    return property(get, put)

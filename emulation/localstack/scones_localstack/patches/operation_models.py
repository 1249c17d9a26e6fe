"""Looks an operation up once.

LocalStack 4.14 does so twice for each task, through the names of all of a service's operations: 0.5 ms of CPU time.
"""

from functools import lru_cache

from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import state_task_service

_OPERATIONS = 256


def install() -> None:
    """Remember the operations that were looked up last."""
    service = state_task_service.StateTaskService
    service._get_boto_operation_model = staticmethod(lru_cache(_OPERATIONS)(service._get_boto_operation_model))  # noqa: SLF001

"""Releases what no request can return any more.

LocalStack 4.14 keeps every thread, frame and payload of every execution, and the events of a Distributed Map's items,
which no request returns: 60 KB of memory for an image, 170 KB in a batch. The events of an execution that has ended
are written to a file: they repeat the image in each state.
"""

import os
import pickle  # nosec B403 - of our own objects, in a file without a name
import tempfile
import threading
import zlib
from collections import deque
from typing import Any

from localstack.services.stepfunctions.asl.component.program import program
from localstack.services.stepfunctions.asl.component.state.state_execution import execute_state
from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.iteration import (
    distributed_iteration_component,
    inline_iteration_component,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_parallel import branch_worker
from localstack.services.stepfunctions.asl.eval.event.event_manager import EventManager
from localstack.services.stepfunctions.backend import execution_worker
from localstack.services.stepfunctions.backend.execution import BaseExecutionWorkerCommunication


class Histories:
    """The events of executions, in a file that ends with the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process lives
        self._lock = threading.Lock()

    def add(self, events: list[Any]) -> tuple[int, int]:
        """Write events, and return where they are."""
        content = zlib.compress(pickle.dumps(events, pickle.HIGHEST_PROTOCOL), 1)
        with self._lock:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(content)
        return offset, len(content)

    def read(self, offset: int, length: int) -> list[Any]:
        """Return the events that are there."""
        with self._lock:
            self._file.seek(offset)
            content = self._file.read(length)
        events: list[Any] = pickle.loads(zlib.decompress(content))  # noqa: S301 # nosec B301 - see the import
        return events


class EndedExecution:
    """Stands for the worker and the environment of an execution that has ended, as far as requests read them."""

    def __init__(self, environment: Any, histories: Histories) -> None:
        self.env = self
        self.callback_pool_manager = environment.callback_pool_manager
        self.map_run_record_pool_manager = environment.map_run_record_pool_manager
        self.event_manager = self
        self._histories = histories
        self._history = histories.add(environment.event_manager.get_event_history())

    def get_event_history(self) -> list[Any]:
        """Return the events."""
        return self._histories.read(*self._history)

    def stop(self, **_: Any) -> None:
        """Leave an execution that has ended as it is."""


class UnreadEvents(EventManager):  # type: ignore[misc]  # LocalStack's types are not installed
    """Numbers the events of a Map Run's items and keeps none."""

    def _publish_history_event(self, **_: Any) -> None: ...


def install() -> None:
    """Keep of executions what requests return."""
    # LocalStack collects threads to end them at its shutdown; these are daemons, which end with the process.
    for module in (program, execute_state, inline_iteration_component, branch_worker, execution_worker):
        module.TMP_THREADS = deque(maxlen=0)
    distributed_iteration_component.EventManager = UnreadEvents
    histories, machines = Histories(), dict[tuple[Any, ...], Any]()
    terminated = BaseExecutionWorkerCommunication.terminated

    def terminate(communication: Any) -> None:
        terminated(communication)
        execution = communication.execution
        environment = execution.exec_worker.env
        for record in environment.map_run_record_pool_manager.get_all():
            vars(record).pop("scones_results", None)
        execution.exec_worker = EndedExecution(environment, histories)
        machine = execution.state_machine  # a separate copy, equal to those of other executions
        key = (machine.arn, machine.revision_id, machine.create_date)
        execution.state_machine = machines.setdefault(key, machine)

    BaseExecutionWorkerCommunication.terminated = terminate

"""Releases what no request can return any more, and keeps in a file what few requests return.

LocalStack 4.14 keeps every thread, frame and payload of every execution, and the events of a Distributed Map's items,
which no request returns: 60 KB of memory for an image, 170 KB in a batch. The events of an execution that has ended
are written to a file, because they repeat the image in each state, and so are its input and its output: of 2.5 KB,
1.1 are left.
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
from localstack.services.stepfunctions.asl.component.state.state_execution.state_map.iteration.itemprocessor import (
    map_run_record,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_parallel import branch_worker
from localstack.services.stepfunctions.asl.eval.callback.callback import CallbackPoolManager
from localstack.services.stepfunctions.asl.eval.event.event_manager import EventManager
from localstack.services.stepfunctions.backend import execution_worker
from localstack.services.stepfunctions.backend.execution import BaseExecutionWorkerCommunication, Execution

_DETAILS = ("input_data", "input_details", "output", "output_details", "error", "cause", "trace_header")
"""Attributes of an execution that are read when it is described, and not when executions are listed."""


class Records:
    """Objects in a file that ends with the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process lives
        self._lock = threading.Lock()

    def add(self, record: Any) -> tuple[int, int]:
        """Write an object, and return where it is."""
        content = zlib.compress(pickle.dumps(record, pickle.HIGHEST_PROTOCOL), 1)
        with self._lock:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(content)
        return offset, len(content)

    def read(self, offset: int, length: int) -> Any:
        """Return the object that is there."""
        with self._lock:
            self._file.seek(offset)
            content = self._file.read(length)
        return pickle.loads(zlib.decompress(content))  # noqa: S301 # nosec B301 - see the import


def _recorded(name: str) -> property:
    return property(lambda execution: execution.detail(name))


class EndedExecution(Execution):  # type: ignore[misc]  # LocalStack's types are not installed
    """An execution that has ended; it also stands for its worker and environment, as far as requests read them."""

    records = Records()
    exec_worker = env = event_manager = property(lambda execution: execution)
    input_data, input_details, output, output_details, error, cause, trace_header = map(_recorded, _DETAILS)
    callback_pool_manager = CallbackPoolManager({})
    map_run_record_pool_manager = map_run_record.MapRunRecordPoolManager()

    @classmethod
    def replace(cls, execution: Any) -> None:
        """Turn an execution, which others refer to, into this class."""
        environment = execution.exec_worker.env
        details = cls.records.add({name: getattr(execution, name) for name in _DETAILS})
        history = cls.records.add(environment.event_manager.get_event_history())
        # Each attribute has a value at any time: another thread may be reading it.
        attributes = vars(execution)
        attributes["recorded"] = (*details, *history)
        for name in ("callback_pool_manager", "map_run_record_pool_manager"):
            pool = getattr(environment, name)
            if pool._pool:  # noqa: SLF001 - few executions have callbacks or Map Runs
                attributes[name] = pool
        execution.__class__ = cls
        attributes.update(dict.fromkeys((*_DETAILS, "exec_worker", "_cloud_watch_logging_session")))

    def detail(self, name: str) -> Any:
        """Return an attribute that is in the file."""
        return self.records.read(*self.recorded[:2])[name]

    def get_event_history(self) -> list[Any]:
        """Return the events."""
        events: list[Any] = self.records.read(*self.recorded[2:])
        return events

    def stop(self, *_: Any, **__: Any) -> None:
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
    machines: dict[tuple[Any, ...], Any] = {}
    terminated = BaseExecutionWorkerCommunication.terminated

    def terminate(communication: Any) -> None:
        terminated(communication)
        execution = communication.execution
        for record in execution.exec_worker.env.map_run_record_pool_manager.get_all():
            vars(record).pop("scones_results", None)
        machine = execution.state_machine  # a separate copy, equal to those of other executions
        key = (machine.arn, machine.revision_id, machine.create_date)
        execution.state_machine = machines.setdefault(key, machine)
        if type(execution) is Execution:
            EndedExecution.replace(execution)

    BaseExecutionWorkerCommunication.terminated = terminate

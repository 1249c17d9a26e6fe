"""The local environment: LocalStack, the SageMaker emulator and the Lambda hosts as child processes, without Docker."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from emulation.errors import StateDirectoryUnusable
from emulation.localstack.environment import ensure_environment
from emulation.processes import components
from emulation.processes.child_processes import Component, ComponentProcess, stop_all, wait_until_healthy
from emulation.processes.components import Addresses, EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.parent_watcher import GRACE_SECONDS, ParentPipe
from emulation.processes.ports import Ports
from emulation.processes.python_environments import Progress
from emulation.processes.state_directory import StateDirectory
from emulation.settings import inherited_environment

LOCALSTACK_PORT = 4566
SAGEMAKER_PORT = 8080
START_SECONDS = 600.0
STOP_SECONDS = 4.0


class LocalEnvironment:
    """LocalStack, the SageMaker emulator and a host for each Lambda, as child processes of this one."""

    def __init__(self, options: EnvironmentOptions, progress: Progress = lambda _line: None) -> None:
        self._options = options
        self._progress = progress
        self._state_directory = StateDirectory(options.home)
        self._ports = Ports(options.cache / "ports")
        self._parent_pipe: ParentPipe | None = None
        self._processes: list[ComponentProcess] = []

    def start(self) -> EnvironmentState:
        """Start everything and return when all of it is healthy.

        Raises AlreadyRunning, PortInUse, StateDirectoryUnusable, CacheUnusable, ServicesMissing,
        EnvironmentBuildFailed, ComponentExited or ComponentUnhealthy, with nothing left running.
        """
        folders = components.find_services(self._options.services)
        try:
            unclean = self._state_directory.claim()
            return self._start(folders, wait_seconds=2 * GRACE_SECONDS if unclean else 0.0)
        except OSError as error:
            self.stop()
            raise StateDirectoryUnusable(self._state_directory.root, error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything and release the state directory. Stopping twice is fine."""
        stop_all(self._processes, STOP_SECONDS)
        self._processes = []
        if self._parent_pipe is not None:
            self._parent_pipe.close()
            self._parent_pipe = None
        self._ports.release()
        self._state_directory.release()

    def supervise(self) -> None:
        """Block until SIGINT or SIGTERM, then stop everything; to be called from the main thread.

        Raises ComponentExited, with everything stopped, when a part ends by itself.
        """
        stop_requested = threading.Event()
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, lambda _number, _frame: stop_requested.set()) for number in numbers]
        try:
            while not stop_requested.wait(0.5):
                for process in self._processes:
                    process.check_alive()
        finally:
            self.stop()
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def __enter__(self) -> EnvironmentState:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, folders: Mapping[str, Path], wait_seconds: float) -> EnvironmentState:
        take, options = self._ports.take, self._options
        addresses = Addresses(
            take(requested=options.localstack_port, preferred=LOCALSTACK_PORT, wait_seconds=wait_seconds),
            take(requested=options.sagemaker_port, preferred=SAGEMAKER_PORT, wait_seconds=wait_seconds),
            {name: take() for name in folders},
        )
        python = ensure_environment(options.cache, progress=self._progress)
        self._progress(f"Starting LocalStack, the SageMaker emulator and {len(folders)} Lambdas")
        self._parent_pipe = ParentPipe()
        for component in self._components(python, folders, addresses):
            self._processes.append(ComponentProcess(component, self._state_directory.logs, self._parent_pipe))
        wait_until_healthy(self._processes, START_SECONDS)
        state = EnvironmentState(
            pid=os.getpid(),
            localstack_url=addresses.localstack_url,
            sagemaker_url=addresses.sagemaker_url,
            lambda_urls=addresses.lambda_urls,
            region=options.region,
            logs=self._state_directory.logs,
            home=self._state_directory.root,
            started=datetime.now(UTC),
        )
        self._state_directory.write_state(state)
        return state

    def _components(self, python: Path, folders: Mapping[str, Path], addresses: Addresses) -> Iterator[Component]:
        run, options = self._state_directory.run, self._options
        environment = components.local_variables(inherited_environment(), addresses, options.region)
        environment |= options.environment
        yield components.localstack(python, run, addresses, environment)
        yield components.sagemaker(run, addresses, environment, options)
        for name, folder in folders.items():
            yield components.lambda_host(name, folder, addresses, environment, options.region)

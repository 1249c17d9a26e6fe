"""The processes of a local environment, and whether they have ended."""

import time

import psutil

from emulation.processes.environment_state import EnvironmentState
from tests.emulation.lambda_hosts import LambdaEndpoint


def everything(state: EnvironmentState) -> list[psutil.Process]:
    """All processes under the stack's, with the handler's running."""
    LambdaEndpoint(state.lambda_urls["probe"]).do("process")
    processes = psutil.Process(state.pid).children(recursive=True)
    assert len(processes) >= 4
    return processes


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none runs any more; what only waits for its new parent to fetch its status counts as gone."""
    deadline = time.monotonic() + 600
    while any(_runs(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

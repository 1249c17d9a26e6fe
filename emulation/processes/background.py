"""A local environment in the background: started, described and stopped by its state directory."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from emulation.errors import AlreadyRunning, EnvironmentFailed, PortInUse, StateDirectoryUnusable
from emulation.localstack.environment import ensure_environment
from emulation.processes.child_processes import is_healthy
from emulation.processes.components import LAMBDA_HEALTH, LOCALSTACK_HEALTH, SAGEMAKER_HEALTH, EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState, EnvironmentStatus
from emulation.processes.parent_watcher import GRACE_SECONDS
from emulation.processes.ports import is_free
from emulation.processes.python_environments import Progress
from emulation.processes.state_directory import StateDirectory
from emulation.settings import ROOT, inherited_environment

_STOP_SECONDS = 60.0


def start_background(options: EnvironmentOptions, progress: Progress = lambda _line: None) -> EnvironmentState:
    """Start a LocalEnvironment with these options that outlives this process; return when it is healthy.

    Raises what ``LocalEnvironment.start`` raises, and EnvironmentFailed for what only the background process sees. If
    this process ends before the environment is healthy, nothing is left running.
    """
    state_directory = StateDirectory(options.home)
    if state_directory.owner() is not None:
        raise AlreadyRunning(state_directory.root, state_directory.read_state())
    for port in (options.localstack_port, options.sagemaker_port):
        if port is not None and not is_free(port):
            raise PortInUse(port)
    ensure_environment(options.cache, progress=progress)
    try:
        state_directory.make_logs()
    except OSError as error:
        raise StateDirectoryUnusable(state_directory.root, error) from error
    return _launch(state_directory, options)


def stop(home: Path) -> bool:
    """Stop the local environment of the state directory ``home`` and wait for its end; False if there was none."""
    state_directory = StateDirectory(home)
    owner = state_directory.owner()
    if owner is None:
        return False
    state = state_directory.read_state()
    for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
        if state_directory.owner() == owner:
            _send(owner, number)
            _wait_until(lambda: state_directory.owner() != owner, seconds)
    if state is not None:
        _wait_until(lambda: not any(_health(state).values()), 2 * GRACE_SECONDS)
    return True


def status(home: Path) -> EnvironmentStatus:
    """Return whether a local environment uses ``home``, its state, and the health of its components."""
    state_directory = StateDirectory(home)
    if state_directory.owner() is None:
        return EnvironmentStatus(running=False, state=None, health={})
    state = state_directory.read_state()
    return EnvironmentStatus(running=True, state=state, health=_health(state) if state else {})


def _launch(state_directory: StateDirectory, options: EnvironmentOptions) -> EnvironmentState:
    """Start the background process and wait for its report; a pipe back to it tells it whether we are still there."""
    log = state_directory.logs / "environment.log"
    report, their_report = os.pipe()
    their_release, release = os.pipe()
    try:
        with log.open("wb") as output:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "emulation.processes",
                    f"--report-fd={their_report}",
                    f"--release-fd={their_release}",
                    options.to_json(),
                ],
                env={**inherited_environment(), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(their_report, their_release),
                check=False,
            )
        os.close(their_report)
        their_report = -1
        outcome = json.loads(_read_all(report) or "{}")
        if "state" not in outcome:
            raise EnvironmentFailed(outcome.get("error", f"The background process exited without a report; see {log}"))
        os.write(release, b"released")
        return EnvironmentState.from_json(outcome["state"])
    finally:
        for descriptor in (report, their_report, their_release, release):
            if descriptor >= 0:
                os.close(descriptor)


def _read_all(descriptor: int) -> str:
    with os.fdopen(os.dup(descriptor)) as file:
        return file.read()


def _health(state: EnvironmentState) -> dict[str, bool]:
    urls = {"localstack": state.localstack_url + LOCALSTACK_HEALTH, "sagemaker": state.sagemaker_url + SAGEMAKER_HEALTH}
    urls |= {name: url + LAMBDA_HEALTH for name, url in state.lambda_urls.items()}
    return {name: is_healthy(url) for name, url in urls.items()}


def _send(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)

"""A component as a child process: started with a log and a parent pipe, checked for its health, stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from emulation.errors import ComponentExited, ComponentUnhealthy
from emulation.processes.parent_watcher import ParentPipe

_POLL_SECONDS = 0.05
_TAIL_LINES = 12


@dataclass(frozen=True)
class Component:
    """The command of a component, where it listens, and which path returns 200 when it is healthy."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    url: str
    health_path: str
    stop_signal: signal.Signals = signal.SIGTERM


class ComponentProcess:
    """A running component, in its own session so that a Ctrl-C in the terminal reaches only its supervisor."""

    def __init__(self, component: Component, logs: Path, parent_pipe: ParentPipe) -> None:
        self.component = component
        self.log = logs / f"{component.name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                component.command,
                env={**component.environment, **parent_pipe.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=parent_pipe.pass_fds,
                start_new_session=True,
            )

    def check_alive(self) -> None:
        """Raise ComponentExited, with the end of its log, where the process has ended."""
        returncode = self._process.poll()
        if returncode is not None:
            raise ComponentExited(self.component.name, returncode, self.log, self._tail())

    def healthy(self) -> bool:
        """Whether its health check succeeds."""
        return is_healthy(self.component.url + self.component.health_path)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all it has started, unless it has ended: its ID may be another's then."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for the process to end; return whether it has."""
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:]) or "  (empty)"


def is_healthy(url: str, timeout: float = 10.0) -> bool:
    """Whether ``url`` returns 200."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def wait_until_healthy(processes: Sequence[ComponentProcess], seconds: float) -> None:
    """Wait until all are healthy. Raises ComponentExited if one ends, ComponentUnhealthy after ``seconds``."""
    deadline = time.monotonic() + seconds
    waiting = list(processes)
    while waiting:
        for process in processes:
            process.check_alive()
        waiting = [process for process in waiting if not process.healthy()]
        if waiting and time.monotonic() > deadline:
            late = waiting[0]
            raise ComponentUnhealthy(late.component.name, late.component.url, seconds, late.log)
        if waiting:
            time.sleep(_POLL_SECONDS)


def stop_all(processes: Iterable[ComponentProcess], grace: float) -> None:
    """Ask all to end at once, and end those that have not after ``grace`` seconds."""
    stopping = list(processes)
    for process in stopping:
        process.signal(process.component.stop_signal)
    deadline = time.monotonic() + grace
    for process in stopping:
        if not process.wait(deadline - time.monotonic()):
            process.signal(signal.SIGKILL)
            process.wait(grace)

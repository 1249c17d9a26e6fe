"""Several workers on one socket: started, replaced when they die, ended together.

Workers are processes of their own and not forks, because ONNX Runtime's threads do not survive a fork. The socket is
shared, so what the system has accepted for a worker that dies is answered by another.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Final

from training.serving import parent_watcher
from training.serving.errors import START_FAILED
from training.serving.settings import Served

GRACE_SECONDS: Final = 27  # a little more than a worker gives its own requests
POLL_SECONDS: Final = 0.1
LEAST_LIFE_SECONDS: Final = 1.0  # a worker that dies at once is not replaced more often than this

log = logging.getLogger(__name__)


def supervise(listener: socket.socket, served: Served, workers: int) -> int:
    """Keep workers serving a bound socket until SIGTERM or SIGINT, or until one cannot start; return the exit code."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    command = [sys.executable, "-m", "training.serving", "serve", "--fd", str(listener.fileno()), "--workers", "1"]
    command += served.arguments()
    read, write = os.pipe()
    try:
        team = [_Worker(command, (listener.fileno(), read), read) for _ in range(workers)]
        code = _replace_the_dead(team, stopping)
        listener.close()
        _end(team)
    finally:
        os.close(write)
        os.close(read)
    return code


class _Worker:
    def __init__(self, command: list[str], inherited: tuple[int, ...], line: int) -> None:
        self._command = command
        self._inherited = inherited
        self._environment = os.environ | {parent_watcher.VARIABLE: str(line)}
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, env=self._environment, pass_fds=self._inherited)
        self.started = time.monotonic()


def _replace_the_dead(team: list[_Worker], stopping: threading.Event) -> int:
    while not stopping.wait(POLL_SECONDS):
        for worker in team:
            code = worker.process.poll()
            if code == START_FAILED:
                return START_FAILED
            if code is not None and time.monotonic() - worker.started >= LEAST_LIFE_SECONDS:
                log.error("worker died", extra={"fields": {"worker": worker.process.pid, "code": code}})
                worker.start()
    return 0


def _end(team: list[_Worker]) -> None:
    for worker in team:
        worker.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for worker in team:
        try:
            worker.process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("worker killed", extra={"fields": {"worker": worker.process.pid}})  # noqa: TRY400
            worker.process.kill()
            worker.process.wait()

"""Runs several workers on one socket: starts them, replaces those that die, and ends them together.

Workers are separate processes and not forks, because ONNX Runtime's threads do not survive a fork. They share the
socket, so connections that a dead worker has not accepted are accepted by another one.
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

from training.serving.errors import START_FAILED
from training.serving.settings import ModelSettings, worker_environment

GRACE_SECONDS: Final = 27  # a little more than a worker gives its requests
POLL_SECONDS: Final = 0.1
MIN_RESTART_SECONDS: Final = 1.0  # a worker that dies at once is not restarted more often

log = logging.getLogger(__name__)


def supervise(listener: socket.socket, settings: ModelSettings, workers: int) -> int:
    """Run workers on a bound socket until SIGTERM or SIGINT, or until one cannot start; return the exit code."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    command = [sys.executable, "-m", "training.serving", "serve", "--fd", str(listener.fileno()), "--workers", "1"]
    command += settings.arguments()
    read, write = os.pipe()
    try:
        pool = [_Worker(command, (listener.fileno(), read), read) for _ in range(workers)]
        code = _replace_dead_workers(pool, stopping)
        listener.close()
        _stop_workers(pool)
    finally:
        os.close(write)
        os.close(read)
    return code


class _Worker:
    def __init__(self, command: list[str], pass_fds: tuple[int, ...], parent_pipe: int) -> None:
        self._command = command
        self._pass_fds = pass_fds
        self._environment = worker_environment(parent_pipe)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, env=self._environment, pass_fds=self._pass_fds)
        self.started = time.monotonic()


def _replace_dead_workers(pool: list[_Worker], stopping: threading.Event) -> int:
    while not stopping.wait(POLL_SECONDS):
        for worker in pool:
            code = worker.process.poll()
            if code == START_FAILED:
                return START_FAILED
            if code is not None and time.monotonic() - worker.started >= MIN_RESTART_SECONDS:
                log.error("worker died", extra={"fields": {"worker": worker.process.pid, "code": code}})
                worker.start()
    return 0


def _stop_workers(pool: list[_Worker]) -> None:
    for worker in pool:
        worker.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for worker in pool:
        try:
            worker.process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("worker killed", extra={"fields": {"worker": worker.process.pid}})  # noqa: TRY400
            worker.process.kill()
            worker.process.wait()

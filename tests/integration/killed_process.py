"""Kills a process of a local environment and starts it again."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil

from emulation.processes.parent_watcher import PARENT_PIPE_VARIABLE, ParentPipe


@contextmanager
def killed(words: str, health_url: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Kill the child whose command line has ``words``, start it again after ``seconds``, and yield the new process.

    Connections to it are refused. It is up again when ``health_url`` responds. It ends with the block.
    """
    process = _child(words)
    command, folder = process.cmdline(), process.cwd()
    environment = {name: value for name, value in process.environ().items() if name != PARENT_PIPE_VARIABLE}
    process.send_signal(signal.SIGKILL)
    process.wait(600)
    time.sleep(seconds)
    with (
        ParentPipe() as parent_pipe,
        subprocess.Popen(
            command,
            env={**environment, **parent_pipe.environment},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            pass_fds=parent_pipe.pass_fds,
        ) as new,
    ):
        try:
            _await(health_url)
            yield new
        finally:
            new.terminate()


def _child(words: str) -> psutil.Process:
    for child in psutil.Process(os.getpid()).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if words in " ".join(child.cmdline()):
                return child
    raise LookupError(words)


def _await(url: str, timeout: float = 600.0) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)

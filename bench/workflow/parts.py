"""Parts of a stack that die and come back: the processes that `LocalEnvironment` started for this one."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil

from emulation.processes.parent_watcher import VARIABLE, ParentPipe


def part(word: str) -> psutil.Process:
    """Return the process of one part of the stack: "emulation.sagemaker", or "--name classify" for a Lambda's host."""
    for child in psutil.Process(os.getpid()).children(recursive=True):
        if word in " ".join(child.cmdline()):
            return child
    raise LookupError(word)


@contextmanager
def killed(word: str, url: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Kill a part, leave it dead for ``seconds``, start it again, and give what was started, which ends with the block.

    Connections to it are refused meanwhile. It is up again when ``url`` answers.
    """
    process = part(word)
    command, place = process.cmdline(), process.cwd()
    environment = {name: value for name, value in process.environ().items() if name != VARIABLE}
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    time.sleep(seconds)
    with (
        ParentPipe() as parent_pipe,
        subprocess.Popen(
            command,
            env={**environment, **parent_pipe.environment},
            cwd=place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            pass_fds=parent_pipe.pass_fds,
        ) as new,
    ):
        try:
            _await(url)
            yield new
        finally:
            new.terminate()


def _await(url: str, patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)

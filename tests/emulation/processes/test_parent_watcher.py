"""A child ends when its parent does, however that happened."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from emulation.processes.parent_watcher import PARENT_PIPE_VARIABLE, ParentPipe, watch

ROOT = Path(__file__).resolve().parents[3]
SLEEPER = (
    "import time; from emulation.processes.parent_watcher import watch; watch(grace=0.5); "
    "print('ready', flush=True); time.sleep(3600)"
)
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
PARENT = """
import subprocess, sys, time
from emulation.processes.parent_watcher import ParentPipe
import os
line = ParentPipe()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], env={**os.environ, **line.environment},
                         pass_fds=line.pass_fds, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(3600)
"""


def _start(program: str, line: ParentPipe) -> "subprocess.Popen[bytes]":
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **line.environment},
        pass_fds=line.pass_fds,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def _end(child: "subprocess.Popen[bytes]") -> int:
    assert child.stdout is not None
    child.stdout.close()
    return child.wait(600)


def test_a_child_gets_sigterm_when_the_line_is_closed() -> None:
    with ParentPipe() as line:
        child = _start(SLEEPER, line)
        assert child.poll() is None
    assert _end(child) == -signal.SIGTERM


def test_a_child_that_ignores_sigterm_is_ended_hard_after_the_grace() -> None:
    with ParentPipe() as line:
        child = _start(STUBBORN, line)
    started = time.monotonic()
    assert _end(child) == 1
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_child_ends_with_a_parent_that_is_killed(number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, SLEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(number)
        parent.wait(600)
    child.wait(600)
    assert not child.is_running()


def test_without_a_line_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PARENT_PIPE_VARIABLE, raising=False)
    before = psutil.Process().num_threads()
    watch()
    assert psutil.Process().num_threads() == before


def test_a_grandchild_does_not_see_the_variable() -> None:
    program = (
        "import os; from emulation.processes.parent_watcher import watch; watch(); "
        f"print('ready', '{PARENT_PIPE_VARIABLE}' in os.environ)"
    )
    with ParentPipe() as line:
        environment = {**os.environ, **line.environment}
        command = [sys.executable, "-c", program]
        output = subprocess.run(
            command, env=environment, pass_fds=line.pass_fds, stdout=subprocess.PIPE, cwd=ROOT, check=True
        )
    assert output.stdout == b"ready False\n"


def test_closing_twice_is_fine() -> None:
    line = ParentPipe()
    line.close()
    line.close()

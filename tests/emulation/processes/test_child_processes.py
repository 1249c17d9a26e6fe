"""A component is signalled as long as it runs."""

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from emulation.processes.child_processes import Component, ComponentProcess
from emulation.processes.parent_watcher import ParentPipe


def test_nothing_is_signalled_once_the_process_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signalled: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, _number: signalled.append(group))
    component = Component("one", [sys.executable, "-c", "input()"], dict(os.environ), "http://127.0.0.1:1", "/")
    with ParentPipe() as parent_pipe:
        process = ComponentProcess(component, tmp_path, parent_pipe)
        assert process.wait(600)
        process.signal(signal.SIGKILL)
    assert signalled == []


def test_what_a_component_has_started_is_signalled_with_it(tmp_path: Path) -> None:
    source = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(3600)'])"
    component = Component("one", [sys.executable, "-c", source], dict(os.environ), "http://127.0.0.1:1", "/")
    with ParentPipe() as parent_pipe:
        process = ComponentProcess(component, tmp_path, parent_pipe)
        (child,) = (each for each in psutil.Process().children() if source in each.cmdline())
        while not (grandchildren := child.children()):
            pass
        process.signal(signal.SIGKILL)
        assert process.wait(600)
    assert psutil.wait_procs(grandchildren, timeout=600)[1] == []

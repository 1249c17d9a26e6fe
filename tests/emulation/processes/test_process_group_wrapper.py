"""The process-group wrapper ends a program, and all it has started, with its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from emulation.processes.parent_watcher import ParentPipe

ROOT = Path(__file__).resolve().parents[3]


def test_a_leashed_program_ends_with_all_it_has_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    shell = f"sleep 60 & echo $! > {pids}; sleep 60"
    with ParentPipe() as line:
        leash = subprocess.Popen(
            [sys.executable, "-m", "emulation.processes.process_group_wrapper", "sh", "-c", shell],
            env={**os.environ, **line.environment},
            pass_fds=line.pass_fds,
            cwd=ROOT,
        )
        while not (pids.exists() and pids.read_text().endswith("\n")):
            time.sleep(0.02)
        descendants = [*psutil.Process(leash.pid).children(recursive=True), psutil.Process(int(pids.read_text()))]
    leash.wait(600)
    assert len(descendants) >= 2
    assert psutil.wait_procs(descendants, timeout=600)[1] == []


def test_a_leashed_programs_status_is_passed_on() -> None:
    command = [
        sys.executable,
        "-m",
        "emulation.processes.process_group_wrapper",
        sys.executable,
        "-c",
        "raise SystemExit(7)",
    ]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 7


def test_a_leashed_program_may_be_asked_to_end_in_its_own_time() -> None:
    source = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(5)); print(flush=True); time.sleep(3600)"
    command = [sys.executable, "-m", "emulation.processes.process_group_wrapper", sys.executable, "-c", source]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as leash:
        assert leash.stdout is not None
        leash.stdout.readline()
        leash.send_signal(signal.SIGUSR1)
        assert leash.wait(600) == 5

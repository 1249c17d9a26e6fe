"""Two stacks do not take each other's ports, and one folder has at most one stack."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulation.errors import AlreadyRunning
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.state_directory import StateDirectory

STATE = EnvironmentState(
    pid=7,
    localstack_url="http://127.0.0.1:4566",
    sagemaker_url="http://127.0.0.1:8080",
    lambda_urls={"serialize": "http://127.0.0.1:1"},
    region="eu-west-1",
    logs=Path("/somewhere/logs"),
    home=Path("/somewhere"),
    started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
OWNER = """
import sys, time, pathlib
from emulation.processes.state_directory import StateDirectory
home = StateDirectory(pathlib.Path(sys.argv[1]))
home.claim()
(home.run / "leftover").write_text("x")
print("claimed", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def other_owner(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process that has claimed the home."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"claimed\n"
        yield process
        process.kill()


def test_an_empty_home_has_no_owner_and_no_state(tmp_path: Path) -> None:
    home = StateDirectory(tmp_path / "home")
    assert home.owner() is None
    assert home.read_state() is None


def test_a_claimed_home_tells_its_owner(tmp_path: Path, other_owner: "subprocess.Popen[bytes]") -> None:
    assert StateDirectory(tmp_path).owner() == other_owner.pid


def test_a_second_claim_is_refused_with_what_is_running(tmp_path: Path, other_owner: "subprocess.Popen[bytes]") -> None:
    with pytest.raises(AlreadyRunning, match="still starting"):
        StateDirectory(tmp_path).claim()
    StateDirectory(tmp_path).write_state(STATE)
    with pytest.raises(AlreadyRunning, match=r"4566 \(process 7\)") as caught:
        StateDirectory(tmp_path).claim()
    assert caught.value.state == STATE


def test_a_home_whose_owner_was_killed_is_cleaned_and_claimed(
    tmp_path: Path, other_owner: "subprocess.Popen[bytes]"
) -> None:
    StateDirectory(tmp_path).write_state(STATE)
    other_owner.kill()
    other_owner.wait(600)
    home = StateDirectory(tmp_path)
    assert home.owner() is None
    assert home.claim() is True
    assert home.read_state() is None
    assert list(home.run.iterdir()) == []
    home.release()


def test_a_released_home_keeps_its_logs_and_nothing_else(tmp_path: Path) -> None:
    home = StateDirectory(tmp_path)
    assert home.claim() is False
    (home.logs / "localstack.log").write_text("log")
    home.write_state(STATE)
    assert home.owner() == os.getpid()
    home.release()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["environment.lock", "localstack.log", "logs"]
    assert home.owner() is None


def test_somebody_who_only_looks_does_not_keep_a_stack_from_starting(tmp_path: Path) -> None:
    home, done = StateDirectory(tmp_path), threading.Event()

    def look() -> None:
        while not done.wait(0.001):
            StateDirectory(tmp_path).owner()

    onlookers = [threading.Thread(target=look) for _ in range(3)]
    for onlooker in onlookers:
        onlooker.start()
    for _ in range(50):
        home.claim()
        home.release()
    done.set()
    for onlooker in onlookers:
        onlooker.join()


@pytest.mark.parametrize("mode", [None, 0o755])
def test_no_other_user_can_read_it(tmp_path: Path, mode: int | None) -> None:
    if mode is not None:
        (tmp_path / "home").mkdir(mode)
    directory = StateDirectory(tmp_path / "home")
    directory.claim()
    directory.release()
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700

"""Two stacks do not take each other's ports, and one folder has at most one stack."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulation.errors import AlreadyRunning, PortInUse
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.ports import HOST, Ports, is_free
from emulation.processes.state_directory import StateDirectory


@pytest.fixture
def occupied() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[Ports]:
    ports = Ports(tmp_path)
    yield ports
    ports.release()


def test_a_preferred_port_is_taken_when_it_is_free(ports: Ports, free: int) -> None:
    assert ports.take(preferred=free) == free


def test_another_is_taken_when_the_preferred_one_is_not_free(ports: Ports, occupied: int) -> None:
    port = ports.take(preferred=occupied)
    assert port != occupied
    assert is_free(port)


def test_an_occupied_port_that_was_asked_for_is_an_error_that_names_it(ports: Ports, occupied: int) -> None:
    with pytest.raises(PortInUse, match=f"Port {occupied} is in use") as caught:
        ports.take(asked=occupied)
    assert caught.value.port == occupied


def test_a_port_on_all_interfaces_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))  # noqa: S104
        server.listen()
        assert not is_free(server.getsockname()[1])


def test_two_stacks_that_start_at_once_take_different_ports(ports: Ports, tmp_path: Path, free: int) -> None:
    other = Ports(tmp_path)
    assert other.take(preferred=free) == free
    assert ports.take(preferred=free) != free
    other.release()
    assert ports.take(preferred=free) == free


def test_a_port_that_becomes_free_in_time_is_taken(ports: Ports) -> None:
    server = socket.create_server((HOST, 0))
    port = server.getsockname()[1]
    threading.Timer(0.3, server.close).start()
    assert ports.take(asked=port, patience=5) == port


def test_one_stack_never_takes_a_port_twice(ports: Ports) -> None:
    taken = [ports.take() for _ in range(50)]
    assert len(set(taken)) == 50


STATE = EnvironmentState(
    pid=7,
    localstack_url="http://127.0.0.1:4566",
    sagemaker_url="http://127.0.0.1:8080",
    lambda_urls={"serialize": "http://127.0.0.1:1"},
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
time.sleep(60)
"""


@pytest.fixture
def other_owner(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process that has claimed the home."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"claimed\n"
        yield process
        process.kill()


def test_a_state_survives_its_file() -> None:
    assert EnvironmentState.from_json(STATE.to_json()) == STATE


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": null}'])
def test_a_file_that_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        EnvironmentState.from_json(text)


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
    other_owner.wait(5)
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
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["localstack.log", "logs", "stack.lock"]
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

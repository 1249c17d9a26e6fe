"""Ports are reserved so that two local environments never use the same one."""

import socket
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from emulation.errors import CacheUnusable, PortInUse
from emulation.processes.ports import HOST, Ports, is_free
from tests.ports import reserved_ports


@pytest.fixture
def occupied() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def free() -> Iterator[int]:
    """A port that no other test and no connection of any program is assigned meanwhile."""
    with reserved_ports(1) as (port,):
        yield port


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
    with pytest.raises(PortInUse, match=f"port {occupied} is in use") as caught:
        ports.take(requested=occupied)
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
    assert ports.take(requested=port, wait_seconds=600) == port


def test_one_stack_never_takes_a_port_twice(ports: Ports) -> None:
    taken = [ports.take() for _ in range(50)]
    assert len(set(taken)) == 50
    assert all(map(is_free, taken))


def test_no_stack_takes_a_port_that_another_has_reserved_and_not_yet_listens_on(
    ports: Ports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved = Ports(tmp_path)
    first = reserved.take()
    candidates = chain([first, first], range(first + 1, 65_536))
    monkeypatch.setattr("emulation.processes.ports.secrets.choice", lambda _ports: next(candidates))
    assert ports.take() != first
    reserved.release()


def test_any_port_lies_below_those_that_the_system_assigns(ports: Ports) -> None:
    with socket.create_server((HOST, 0)) as server:
        assert ports.take() < min(32_768, server.getsockname()[1])


def test_a_cache_that_cannot_be_written_is_named_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(
        CacheUnusable, match=rf"{tmp_path}/cache/ports in the cache .*: Not a directory: .* SCONES_CACHE"
    ):
        Ports(tmp_path / "cache" / "ports").take()

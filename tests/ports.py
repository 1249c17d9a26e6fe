"""Ports that stay free, and ports for programs that cannot listen on port 0 and say which one they were assigned."""

from collections.abc import Iterator
from contextlib import contextmanager

from emulation.processes.ports import Ports
from scones.settings import Settings


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Reserve free ports, which no other test and no local environment takes meanwhile."""
    ports = Ports(Settings.from_environment().cache / "ports")
    try:
        yield [ports.take() for _ in range(count)]
    finally:
        ports.release()

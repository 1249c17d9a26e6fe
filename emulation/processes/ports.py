"""Finds ports for a stack and keeps two stacks that start at once from choosing the same ones."""

import fcntl
import socket
import time
from pathlib import Path
from typing import IO

from emulation.errors import PortInUse

HOST = "127.0.0.1"


class Ports:
    """The ports of one stack; ``directory`` is where stacks of one user see what others have taken."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._reserved: list[IO[str]] = []
        self._chosen: set[int] = set()

    def take(self, *, asked: int | None = None, preferred: int | None = None, patience: float = 0.0) -> int:
        """Return the port asked for, else the preferred one if it is free, else a free one.

        Waits ``patience`` seconds for either to become free. Raises PortInUse where the port asked for does not.
        """
        wanted = asked if asked is not None else preferred
        if wanted is not None and self._take_within(wanted, patience):
            return wanted
        if asked is not None:
            raise PortInUse(asked)
        return self._take_any()

    def release(self) -> None:
        """Let other stacks have the ports."""
        while self._reserved:
            self._reserved.pop().close()

    def _take_within(self, port: int, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while not self._take_named(port):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _take_named(self, port: int) -> bool:
        self._directory.mkdir(parents=True, exist_ok=True)
        reservation = (self._directory / f"{port}.lock").open("w")
        try:
            fcntl.flock(reservation, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        else:
            free = is_free(port)
        if free:
            self._reserved.append(reservation)
        else:
            reservation.close()
        return free

    def _take_any(self) -> int:
        while True:
            with socket.socket() as probe:
                probe.bind((HOST, 0))
                port: int = probe.getsockname()[1]
            if port not in self._chosen:
                self._chosen.add(port)
                return port


def is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` of the loopback interface and we could."""
    with socket.socket() as caller:
        caller.settimeout(1)
        if caller.connect_ex((HOST, port)) == 0:
            return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True

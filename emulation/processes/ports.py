"""Reserves ports, so that two local environments that start at the same time do not use the same one."""

import fcntl
import secrets
import socket
import time
from pathlib import Path
from typing import IO

from emulation.errors import CacheUnusable, PortInUse

HOST = "127.0.0.1"
# Below the ports that systems assign to outgoing connections and to listeners on port 0, so that none of those is
# assigned a reserved port before its component listens on it.
_ANY = range(20_000, 24_000)


class Ports:
    """The ports of one local environment; ``directory`` has the reservations of all environments of the user."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._reserved: list[IO[str]] = []

    def take(self, *, requested: int | None = None, preferred: int | None = None, wait_seconds: float = 0.0) -> int:
        """Return the requested port, or the preferred one if it is free, or any free one.

        Waits ``wait_seconds`` for either to become free. Raises PortInUse if the requested port does not, and
        CacheUnusable.
        """
        port = requested if requested is not None else preferred
        if port is not None and self._take_within(port, wait_seconds):
            return port
        if requested is not None:
            raise PortInUse(requested)
        return self._take_any()

    def release(self) -> None:
        """Release the reservations."""
        while self._reserved:
            self._reserved.pop().close()

    def _take_within(self, port: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._take_named(port):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _take_named(self, port: int) -> bool:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            reservation = (self._directory / f"{port}.lock").open("w")
        except OSError as error:
            raise CacheUnusable(self._directory, error) from error
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
        while not self._take_named(port := secrets.choice(_ANY)):
            pass
        return port


def is_free(port: int) -> bool:
    """Whether ``port`` of the loopback interface is free to listen on."""
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

"""A network between LocalStack and the Lambdas that can be cut, and that loses its connections when it is joined."""

import contextlib
import dataclasses
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulation.processes.child_processes import Component
from emulation.processes.components import Addresses
from emulation.processes.local_environment import LocalEnvironment
from emulation.processes.ports import HOST

_TURN_SECONDS = 0.1
_CHUNK = 65_536


class Relay:
    """Passes on what is sent to its port, until it is cut off.

    While it is cut off it takes no connection, so that the kernel lets those who try wait until they give up, and
    passes on nothing. When it is joined again the connections that it had are reset, as by a router that has
    restarted: a request that was under way is lost.
    """

    def __init__(self, target: int) -> None:
        self._target = (HOST, target)
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(_TURN_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self._joined = threading.Event()
        self._joined.set()
        self._ended = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name=f"relay-{self.port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._joined.set()
        self._thread.join()
        self._listener.close()
        self._reset()

    def cut(self) -> None:
        """Let nothing through."""
        self._joined.clear()
        self._listener.listen(0)  # the kernel itself would take connections for a listener that is slow

    def join(self) -> None:
        """Let new connections through, and reset the old ones."""
        self._reset()
        self._listener.listen(128)
        self._joined.set()

    def _accept(self) -> None:
        while not self._ended.is_set():
            self._joined.wait()
            try:
                near, _ = self._listener.accept()
            except TimeoutError:
                continue
            try:
                far = socket.create_connection(self._target, timeout=600)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._open |= {near, far}
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                self._joined.wait()
                sink.sendall(data)
        self._close(source, sink)

    def _reset(self) -> None:
        with self._lock:
            ends = list(self._open)
        self._close(*ends)

    def _close(self, *ends: socket.socket) -> None:
        with self._lock:
            self._open -= set(ends)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class RelayedEnvironment(LocalEnvironment):
    """A local environment whose LocalStack reaches each Lambda through a relay; ``relays`` are by function."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.relays: dict[str, Relay] = {}
        self._open_relays = contextlib.ExitStack()

    def stop(self) -> None:
        """Stop everything, the relays last."""
        super().stop()
        self._open_relays.close()

    def _components(self, python: Path, folders: Mapping[str, Path], addresses: Addresses) -> Iterator[Component]:
        for name, port in addresses.lambdas.items():
            self.relays[name] = self._open_relays.enter_context(Relay(port))
        relayed = dataclasses.replace(addresses, lambdas={name: relay.port for name, relay in self.relays.items()})
        for component in super()._components(python, folders, addresses):
            if component.name == "localstack":
                environment = {**component.environment, **self._relayed_urls(component.environment, addresses, relayed)}
                yield dataclasses.replace(component, environment=environment)
            else:
                yield component

    @staticmethod
    def _relayed_urls(environment: Mapping[str, str], direct: Addresses, relayed: Addresses) -> dict[str, str]:
        """Return the variable that names the Lambdas' addresses, with those of the relays in it."""
        name = "SCONES_LAMBDA_CONTAINERS"
        listed = environment[name]
        for service, url in direct.lambda_urls.items():
            listed = listed.replace(f"{service}={url}", f"{service}={relayed.lambda_urls[service]}")
        return {name: listed}

"""Functions deployed as zip archives: each version in its own Lambda host, a process next to LocalStack."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ContainerUnreachable, FunctionNotSupported
from .function_container import FunctionContainer
from .settings import PARENT_PIPE_VARIABLE, ZipHost

_START_SECONDS = 120.0
_POLL_SECONDS = 0.02
_LISTENS = " listens on "


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[bytes]
    container: FunctionContainer


class ZipFunctions:
    """The hosts by function version; a host ends with its version, and with LocalStack."""

    def __init__(self, host: ZipHost | None) -> None:
        self._host = host
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._parent_pipe, self._own_end = os.pipe()

    def container(self, version: Any) -> FunctionContainer:
        """Return the version's host, started if needed. Raises FunctionNotSupported or ContainerUnreachable."""
        key = version.config.internal_revision
        with self._lock:
            running = self._running.get(key)
            if running is None or running.process.poll() is not None:
                running = self._running[key] = self._start(version)
        return running.container

    def end(self, version: Any) -> None:
        """End the version's host."""
        with self._lock:
            running = self._running.pop(version.config.internal_revision, None)
        if running is not None:
            running.process.terminate()
            running.process.wait()

    def _start(self, version: Any) -> _Running:
        name, config = version.id.function_name, version.config
        if self._host is None:
            raise FunctionNotSupported(
                f"{name} is a zip archive, which runs with `scones up` only: build a container image of it"
            )
        if not str(config.runtime).startswith("python"):
            raise FunctionNotSupported(f"{name} has the runtime {config.runtime}: only Python's are emulated")
        if config.layers:
            raise FunctionNotSupported(f"{name} has layers, which are not emulated: put their content into its archive")
        config.code.prepare_for_execution()
        folder = Path(config.code.get_unzipped_code_location())
        log = folder.parent / "host.log"
        options = {
            "service-dir": folder,
            "name": name,
            "handler": config.handler,
            "port": 0,
            "region": version.id.region,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self._host.command, *(f"--{option}={value}" for option, value in options.items())],
                env={**self._host.environment, PARENT_PIPE_VARIABLE: str(self._parent_pipe)},
                pass_fds=(self._parent_pipe,),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return _Running(process, FunctionContainer(_address(process, log)))


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return the URL that the host writes to its log when it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        line, end, _ = log.read_text(errors="replace").partition("\n")
        if end and _LISTENS in line:
            return line.partition(_LISTENS)[2]
        time.sleep(_POLL_SECONDS)
    process.kill()
    raise ContainerUnreachable(f"the host of a zip function did not start: {log.read_text(errors='replace')[-500:]}")

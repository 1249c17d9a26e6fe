"""A model server as a child process, restarted whenever it exits."""

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulation.processes.parent_watcher import ParentPipe
from emulation.sagemaker.errors import ContainerDown, ContainerError, LaunchFailed, UnhealthyContainer
from emulation.sagemaker.hosting.http_client import ContainerResponse, HttpClient
from emulation.sagemaker.hosting.server_log import ServerLog
from emulation.sagemaker.log_stream import LogStream
from emulation.settings import inherited_environment

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
INVOCATION_SECONDS = 60.0

_PING_SECONDS = 2.0
_STOP_SECONDS = 4.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
# A container's variables must not reach the interpreter or the dynamic linker of a process on the caller's machine.
HOST_VARIABLES = ("PYTHON", "LD_", "DYLD_", "SCONES_")

Command = Callable[[int, Path], Sequence[str]]
Prepare = Callable[[Callable[[str], object]], Awaitable[Command]]
"""Makes what a server needs, reports that line by line, and returns the command; raises LaunchFailed."""


def production_server(listener: int, model: Path) -> Sequence[str]:
    """Return the command that serves the model directory, with the production container's server, on a bound socket."""
    server = [sys.executable, "-m", "training.serving", "serve"]
    return [*server, "--fd", str(listener), "--model-dir", str(model), "--workers", "1"]


@dataclass(frozen=True)
class ModelServerSpec:
    """The arguments of a model server."""

    prepare: Prepare
    model: Path
    environment: Mapping[str, str]
    log: Path
    variant: str
    health_seconds: float
    stream: LogStream


class ModelServer:
    """A model server as a child process, restarted whenever it exits unexpectedly."""

    def __init__(self, spec: ModelServerSpec, parent_pipe: ParentPipe) -> None:
        self._spec = spec
        self._parent_pipe = parent_pipe
        self._process: asyncio.subprocess.Process | None = None
        self._client: HttpClient | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._command: Command | None = None
        self._log = ServerLog(spec.log, spec.stream)
        self.restarts = 0

    async def start(self) -> None:
        """Start the server and wait until it is healthy; raise LaunchFailed with the endpoint's FailureReason."""
        self._spec.log.unlink(missing_ok=True)
        self._log.start()
        try:
            self._command = await self._spec.prepare(self._report)
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise())

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> ContainerResponse:
        """Pass one invocation to the server; raise ContainerError if it does not respond."""
        if self._client is None:
            raise ContainerDown("the model server is being restarted")
        return await self._client.request(
            "POST", "/invocations", headers=headers, body=body, seconds=INVOCATION_SECONDS
        )

    async def stop(self) -> None:
        """Stop the server: SIGTERM, then SIGKILL if that takes too long."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        if self._client is not None:
            self._client.close()
        await self._log.stop()  # before the server, whose last lines are not worth waiting for CloudWatch Logs
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _launch(self) -> None:
        with _bound() as listener:
            self._process = process = await self._spawn(listener.fileno())
            client = HttpClient(HOST, listener.getsockname()[1])
        try:
            async with asyncio.timeout(self._spec.health_seconds):
                while not await _healthy(client):
                    if process.returncode is not None:
                        raise self._unhealthy(f"it exited with status {process.returncode}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            seconds = self._spec.health_seconds
            raise self._unhealthy(f"no healthy /ping within {seconds:g} s") from None
        self._client = client

    def _report(self, line: str) -> None:
        with self._spec.log.open("a") as file:
            file.write(f"{line}\n")

    async def _spawn(self, listener: int) -> asyncio.subprocess.Process:
        assert self._command is not None  # noqa: S101 - set by start
        inherited = {name: value for name, value in inherited_environment().items() if not name.startswith("AWS_")}
        own = {name: value for name, value in self._spec.environment.items() if not name.startswith(HOST_VARIABLES)}
        try:
            with self._spec.log.open("ab") as output:
                return await asyncio.create_subprocess_exec(
                    *self._command(listener, self._spec.model),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**inherited, **own, **self._parent_pipe.environment},
                    pass_fds=(listener, *self._parent_pipe.pass_fds),
                )
        except (OSError, ValueError) as error:
            raise self._unhealthy(str(error)) from error

    async def _supervise(self) -> None:
        """Restart the server whenever it exits, with growing pauses."""
        pause = _FIRST_PAUSE
        while self._process is not None:
            await self._process.wait()
            if self._client is not None:
                self._client.close()
                self._client = None
            log.warning("model server of %s exited with status %s", self._spec.variant, self._process.returncode)
            await asyncio.sleep(pause)
            self.restarts += 1
            try:
                await self._launch()
                pause = _FIRST_PAUSE
            except LaunchFailed as error:
                log.warning("%s", error)
                await self._kill()
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _unhealthy(self, detail: str) -> UnhealthyContainer:
        return UnhealthyContainer(self._spec.variant, f"{self._spec.log.name}; {detail}. {_last_line(self._spec.log)}")


async def _healthy(client: HttpClient) -> bool:
    try:
        reply = await client.request("GET", "/ping", headers={}, body=b"", seconds=_PING_SECONDS)
    except ContainerError:
        return False
    return reply.status == 200


def _bound() -> socket.socket:
    """Return a socket bound to a free port: as it is inherited, no other process can take the port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((HOST, 0))
    return listener


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

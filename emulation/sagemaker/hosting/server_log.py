"""Brings what a model server writes to its log file to CloudWatch Logs, where AWS has the log of a container."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from emulation.sagemaker.log_stream import LogStream

GROUP = "/aws/sagemaker/Endpoints/{endpoint}"
_POLL_SECONDS = 1.0
_CHUNK = 256 * 1024


class ServerLog:
    """Reads a log file as it grows; the file restarts with each server."""

    def __init__(self, path: Path, stream: LogStream) -> None:
        self._path = path
        self._stream = stream
        self._task: asyncio.Task[None] | None = None
        self._offset = 0
        self._rest = b""

    def start(self) -> None:
        """Follow the file in the background, from its beginning."""
        self._task = asyncio.create_task(self._follow(), name=f"log {self._path.name}")

    async def stop(self) -> None:
        """Send what is left."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        self._read(self._stream.write)
        if self._rest:
            self._stream.write(self._rest.decode(errors="replace"))
        await self._stream.flush()

    async def _follow(self) -> None:
        while True:
            if self._read(self._stream.write):
                await self._stream.flush()
            await asyncio.sleep(_POLL_SECONDS)

    def _read(self, write: Callable[[str], None]) -> bool:
        """Pass on the lines that are new, and tell whether there were any; half a line waits for its end."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(_CHUNK)
        except FileNotFoundError:
            return False
        self._offset += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            write(line.decode(errors="replace").rstrip("\r"))
        return bool(lines)

"""The real server in its own process."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx


class RunningServer:
    """`python -m training.serving serve` on a free port, and what it logged."""

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
        program: Sequence[str] = ("-m", "training.serving"),
    ) -> None:
        command = [sys.executable, *program, "serve", "--host", "127.0.0.1", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}, pass_fds=pass_fds
        )
        self.lines: list[str] = []
        self._log: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.lines.extend(stream)

    @property
    def log(self) -> list[dict[str, Any]]:
        self._log += [json.loads(line) for line in self.lines[len(self._log) :]]
        return self._log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{next(line['port'] for line in self.log if line['event'] == 'bound')}"

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["event"] == event]

    def wait_for(self, event: str, times: int = 1, seconds: float = 600) -> None:
        deadline = time.monotonic() + seconds
        while len(self.events(event)) < times:
            assert time.monotonic() < deadline, f"no {event!r} after {seconds} s: {self.lines}"
            time.sleep(0.01)

    def wait_until_ready(self, workers: int = 1) -> None:
        self.wait_for("Application startup complete.", times=workers)
        deadline = time.monotonic() + 600
        while not self._answers():
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ping").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number: int = signal.SIGTERM, seconds: float = 600) -> int:
        """Send a signal; return the exit code once all of the log has been read."""
        self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = 600) -> int:
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code


Start = Callable[..., RunningServer]

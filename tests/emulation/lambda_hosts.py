"""Starts Lambda hosts as the stack does, and talks to them and to real Lambda containers."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from emulation.processes.child_processes import is_healthy

INVOKE = "/2015-03-31/functions/function/invocations"
# One for all requests, as each takes 20 ms to make; a connection for each request, as a host may be another's by then.
_CLIENT = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
PROBE = Path(__file__).parent / "fakes" / "probe_function.py"


class LambdaEndpoint:
    """A Lambda container, or what stands in for one."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, body: bytes, timeout: float = 600) -> httpx.Response:
        return _CLIENT.post(self.url + INVOKE, content=body, timeout=timeout)

    def do(self, act: str, **event: Any) -> Any:
        return self.post(json.dumps({"do": act, **event}).encode()).json()

    def configure(self, **configuration: Any) -> httpx.Response:
        whole = {"function_name": "probe", "timeout": 3, "memory_size": 512, "variables": {}, **configuration}
        return _CLIENT.put(self.url + "/environment", json=whole, timeout=600)


@contextlib.contextmanager
def lambda_host(service: Path, log: Path, *options: str) -> Iterator[tuple[LambdaEndpoint, subprocess.Popen[bytes]]]:
    """Run ``python -m emulation.lambdas.host`` on a free port; its output goes to ``log``."""
    command = [
        sys.executable,
        "-m",
        "emulation.lambdas.host",
        "--service-dir",
        str(service),
        "--name",
        "probe",
        "--port",
        "0",
        "--region",
        "us-east-1",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *options], stdout=output, stderr=subprocess.STDOUT)
    try:
        yield LambdaEndpoint(_url(process, log)), process
    finally:
        process.terminate()
        process.wait(600)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        _, result, url = log.read_text().partition("listens on ")
        if result and url.endswith("\n") and is_healthy(url.strip() + "/health"):
            return url.strip()
        time.sleep(0.02)
    raise AssertionError(f"the host did not start: {log.read_text()}")


def install_probe(service: Path) -> Path:
    """Make ``service`` the folder of a service whose handler is the probe."""
    service.mkdir(parents=True)
    (service / "handler.py").write_text(PROBE.read_text())
    return service

"""``python -m tests.quality.fuzz.emulator --requests 10000``: random requests against the SageMaker emulator.

Most are made from botocore's service models, right or nearly so; the rest are such requests with bytes changed, in the
body or in the bytes of HTTP itself. Counted is what must never be: a 5xx, a stack trace in an answer or in the log, and
a file outside the state directory.
"""

import argparse
import contextlib
import http.client
import json
import os
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.emulation.fakes.s3 import fake_s3
from tests.emulation.sagemaker.emulator import Emulator
from tests.quality.fuzz.emulator_requests import Attacker

_RAW_SHARE = 0.1
"""The share of requests that are sent as changed bytes of HTTP, past any client."""


@dataclass
class Report:
    """What came back; everything but ``answers`` should be empty."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.failures or self.traces or self.strays)


def attack(emulator: Emulator, requests: int, seed: int, tell: Callable[[int], None] = lambda _done: None) -> Report:
    """Send so many requests and return what came of them; the emulator must go on answering."""
    attacker, report = Attacker(seed), Report()
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=600)
    for done in range(1, requests + 1):
        sent = attacker.request()
        if attacker.chance.random() < _RAW_SHARE:
            _throw(emulator.port, attacker.raw(sent), report)
            continue
        try:
            connection.request(sent.method, sent.path, sent.body, sent.headers)
            with connection.getresponse() as response:
                status, content = response.status, response.read()
        except (http.client.HTTPException, OSError, ValueError) as error:
            report.answers[type(error).__name__] += 1
            if isinstance(error, TimeoutError):
                report.failures.append(f"no answer in 600 s: {sent}")
            connection.close()
            continue
        report.answers[str(status)] += 1
        if status >= 500:
            report.failures.append(f"{status} {content[:300]!r} for {sent}")
        if b"Traceback" in content or b'File "' in content:
            report.traces.append(f"{content[:300]!r} for {sent}")
        tell(done)
    connection.close()
    if not emulator.healthy():
        report.failures.append("the emulator does not answer any more")
    if "Traceback" in (log := emulator.log.read_text()):
        report.traces.append(log[log.index("Traceback") - 300 :][:3000])
    return report


def _throw(port: int, data: bytes, report: Report) -> None:
    """Send bytes on their own connection, and read until the server closes it or is silent."""
    result = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            result += chunk
    status = result[9:12].decode("latin-1")
    report.answers[f"bytes: {status or 'none'}"] += 1
    if status.startswith("5"):
        report.failures.append(f"{result[:300]!r} for the bytes {data[:500]!r}")
    if b"Traceback" in result:
        report.traces.append(f"{result[:300]!r} for the bytes {data[:500]!r}")


def main() -> int:
    """Print the report as JSON; 1 where something was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.quality.fuzz.emulator", description="Fuzz the SageMaker emulator."
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, fake_s3() as s3:
        root = Path(directory)
        places = {name: root / name for name in ("home", "tmp", "emulator")}
        for place in places.values():
            place.mkdir()
        s3.objects["b/key"] = b"x"
        emulator = Emulator(places["emulator"] / "state", s3, ("--stub-model",))
        emulator.start(HOME=str(places["home"]), TMPDIR=str(places["tmp"]))
        emulator.endpoint("a")

        def tell(done: int) -> None:
            if done % 500 == 0 and os.isatty(sys.stderr.fileno()):
                print(f"\r{done} of {options.requests}", end="", file=sys.stderr, flush=True)

        try:
            report = attack(emulator, options.requests, options.seed, tell)
        finally:
            emulator.stop()
        expected = {emulator.state_dir, emulator.log, *places.values()}
        result = (path for path in root.rglob("*") if emulator.state_dir not in path.parents)
        report.strays = sorted(str(path.relative_to(root)) for path in result if path not in expected)
    summary = {"requests": options.requests, "seed": options.seed, **vars(report), "clean": report.clean}
    print(json.dumps(summary, indent=2))
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())

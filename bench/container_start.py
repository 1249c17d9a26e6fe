"""The start of each Lambda in its container under the Runtime Interface Emulator, beside what others would write."""

import json
import re
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.lambda_start import AGAINST, EVENTS, RIVALS, ROOT, stand_in
from bench.results import Claim, NotMeasured, Section

BASE = "public.ecr.aws/lambda/python:3.13"
_LEFT_OUT = {"SageMaker SDK"}  # 400 MB on top of the base image: the bare process tells enough
_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_DOCKER = ["docker"]


def section(options: Any) -> Section:
    """Measure for `make bench`."""
    if subprocess.run([*_DOCKER, "version"], capture_output=True, check=False).returncode:
        raise NotMeasured("no Docker engine answers")
    rounds = 2 if options.quick else 9
    with (
        tempfile.TemporaryDirectory() as scratch,
        _images(Path(scratch)) as images,
        stand_in(host="0.0.0.0") as address,  # noqa: S104 - containers come from outside
    ):
        port = address.rpartition(":")[2]
        taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in images}
        for turn in range(rounds + 1):
            for name, tag in images.items():
                sample = _started(tag, EVENTS.get(name, {}), port)
                if turn:
                    taken[name].append(sample)
    figures = {
        name: {
            key: round(statistics.median(each[index] for each in samples), 1)
            for index, key in enumerate(("init_ms", "first_ms", "mib"))
        }
        for name, samples in taken.items()
    }
    ratios = {name: round(figures[name]["first_ms"] / figures[rival]["first_ms"], 2) for name, rival in AGAINST.items()}
    rows = [
        [name, f"{each['init_ms']}", f"{each['first_ms']}", f"{each['mib']}", f"{ratios.get(name, '')}"]
        for name, each in figures.items()
    ]
    claims = [
        Claim(f"{name}, of {AGAINST[name]}, in its container", ratio, 1.2 if name == "filter" else 0.9)
        for name, ratio in ratios.items()
    ]
    how = (
        f"Medians of {rounds} fresh containers of each, in turns: INIT REPORT of the Runtime Interface Emulator, the "
        "first invocation as its caller sees it, init included, and the container's memory after it."
    )
    return Section(
        "Lambda start, in its container",
        how,
        ["handler", "init ms", "first ms", "MiB", "of its rival"],
        rows,
        claims,
        figures,
    )


@contextmanager
def _images(scratch: Path) -> Iterator[dict[str, str]]:
    """Build each handler's image under a name of this run, and remove them afterwards."""
    run, built = uuid.uuid4().hex[:12], {}
    try:
        for name in EVENTS:
            built[name] = _built(ROOT / "services" / name, f"scones-bench-{name}:{run}")
        for number, (name, source) in enumerate((n, s) for n, s in RIVALS.items() if n not in _LEFT_OUT):
            folder = scratch / str(number)
            folder.mkdir()
            (folder / "handler.py").write_text(source, "utf-8")
            (folder / "Dockerfile").write_text(
                f"FROM {BASE}\nCOPY handler.py ${{LAMBDA_TASK_ROOT}}/\n"
                'RUN python3 -m compileall -q "${LAMBDA_TASK_ROOT}"\n'
                'CMD ["handler.handler"]\n'
            )
            built[name] = _built(folder, f"scones-bench-rival-{number}:{run}")
        yield built
    finally:
        for tag in built.values():
            subprocess.run([*_DOCKER, "image", "rm", "--force", tag], capture_output=True, check=False)


def _built(folder: Path, tag: str) -> str:
    done = subprocess.run(
        [*_DOCKER, "build", "--quiet", "--tag", tag, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotMeasured(f"{folder.name} does not build: {done.stderr.strip()[-300:]}")
    return tag


def _started(tag: str, event: dict[str, Any], port: str) -> tuple[float, float, float]:
    """Start a container, invoke it once, and return init ms, ms of the first invocation, and MiB."""
    variables = {
        "AWS_ENDPOINT_URL": f"http://host.docker.internal:{port}", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench", "ENDPOINT_NAME": "bench",
    }  # fmt: skip
    settings = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    command = [
        *_DOCKER,
        "run",
        "--detach",
        "--rm",
        "--add-host",
        "host.docker.internal:host-gateway",
        "--publish",
        "127.0.0.1::8080",
    ]
    container = _said([*command, *settings, tag])
    try:
        host = _said([*_DOCKER, "port", container, "8080/tcp"]).splitlines()[0]
        taken = _invoked(f"http://{host}/2015-03-31/functions/function/invocations", json.dumps(event).encode())
        memory = _said([*_DOCKER, "stats", "--no-stream", "--format", "{{.MemUsage}}", container]).partition("MiB")[0]
        logs = subprocess.run([*_DOCKER, "logs", container], capture_output=True, text=True, check=True)
        found = _INIT.search(logs.stdout + logs.stderr)
        return float(found[1]) if found else float("nan"), taken, float(memory)
    finally:
        subprocess.run([*_DOCKER, "kill", container], capture_output=True, check=False)


def _invoked(url: str, body: bytes) -> float:
    deadline = time.monotonic() + 30
    while True:
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as answer:  # noqa: S310 - our own URL
                told = answer.read()
            if b"errorType" in told:
                raise NotMeasured(f"the handler failed: {told[:300].decode()}")
            return (time.perf_counter() - begun) * 1000
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

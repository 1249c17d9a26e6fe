"""The start of each Lambda in its container under the Runtime Interface Emulator, compared with baselines."""

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

from bench.handlers import BASELINE_OF, BASELINES, EVENTS, aws_stub, environment
from bench.results import ROOT, Claim, NotMeasured, Options, Section, Table

_BASE_IMAGE = "public.ecr.aws/lambda/python:3.13"
_EXCLUDED = {"SageMaker SDK"}  # 400 MB on top of the base image: the bare process tells enough
_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")


def measure(options: Options) -> Section:
    """Start a container of every handler alternately."""
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:  # noqa: S607
        raise NotMeasured("no Docker engine responds")
    rounds = 2 if options.quick else 9
    with (
        tempfile.TemporaryDirectory() as scratch,
        _images(Path(scratch)) as images,
        aws_stub(host="0.0.0.0") as url,  # noqa: S104 - containers come from outside
    ):
        samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in images}
        for number in range(rounds + 1):
            for name, tag in images.items():
                sample = _started(tag, EVENTS.get(name, {}), url.replace("127.0.0.1", "host.docker.internal"))
                if number:  # the first round warms the disk's cache
                    samples[name].append(sample)
    figures = {
        name: {
            figure: round(statistics.median(sample[index] for sample in each), 1)
            for index, figure in enumerate(("init_ms", "first_ms", "mib"))
        }
        for name, each in samples.items()
    }
    ratios = {
        name: round(figures[name]["first_ms"] / figures[baseline]["first_ms"], 2)
        for name, baseline in BASELINE_OF.items()
    }
    rows = [(name, *each.values(), ratios.get(name, "")) for name, each in figures.items()]
    claims = [
        Claim(f"{name}, of {BASELINE_OF[name]}, in its container", ratio, 1.2 if name == "filter" else 0.6)
        for name, ratio in ratios.items()
    ]
    method = (
        f"Medians of {rounds} fresh containers of each, alternately: INIT REPORT of the Runtime Interface Emulator, "
        "the first invocation as its caller sees it, init included, and the container's memory after it."
    )
    table = Table.of(["handler", "init ms", "first ms", "MiB", "of its baseline"], rows)
    return Section("Lambda start, in its container", method, [table], claims, figures)


@contextmanager
def _images(scratch: Path) -> Iterator[dict[str, str]]:
    """Build each handler's image under a tag of this run, and remove them afterwards."""
    run, tags = uuid.uuid4().hex[:12], {}
    try:
        for name in EVENTS:
            tags[name] = _built(ROOT / "services" / name, f"scones-bench-{name}:{run}")
        for number, (name, source) in enumerate((n, s) for n, s in BASELINES.items() if n not in _EXCLUDED):
            folder = scratch / str(number)
            folder.mkdir()
            (folder / "handler.py").write_text(source, "utf-8")
            (folder / "Dockerfile").write_text(
                f"FROM {_BASE_IMAGE}\nCOPY handler.py ${{LAMBDA_TASK_ROOT}}/\n"
                'RUN python3 -m compileall -q "${LAMBDA_TASK_ROOT}"\n'
                'CMD ["handler.handler"]\n'
            )
            tags[name] = _built(folder, f"scones-bench-baseline-{number}:{run}")
        yield tags
    finally:
        for tag in tags.values():
            subprocess.run(["docker", "image", "rm", "--force", tag], capture_output=True, check=False)  # noqa: S607


def _built(folder: Path, tag: str) -> str:
    command = ["docker", "build", "--quiet", "--tag", tag, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured(f"{folder.name} does not build: {done.stderr.strip()[-300:]}")
    return tag


def _started(tag: str, event: dict[str, Any], url: str) -> tuple[float, float, float]:
    """Start a container, invoke it once, and return init ms, ms of the first invocation, and MiB."""
    variables = [word for name, value in environment(url).items() for word in ("--env", f"{name}={value}")]
    network = ["--add-host", "host.docker.internal:host-gateway", "--publish", "127.0.0.1::8080"]
    container = _docker("run", "--detach", "--rm", *network, *variables, tag)
    try:
        host = _docker("port", container, "8080/tcp").splitlines()[0]
        milliseconds = _invoked(f"http://{host}/2015-03-31/functions/function/invocations", json.dumps(event).encode())
        memory = _docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container).partition("MiB")[0]
        logs = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True)  # noqa: S607
        init = _INIT.search(logs.stdout + logs.stderr)
        return float(init[1]) if init else float("nan"), milliseconds, float(memory)
    finally:
        subprocess.run(["docker", "kill", container], capture_output=True, check=False)  # noqa: S607


def _invoked(url: str, body: bytes) -> float:
    deadline = time.monotonic() + 30
    while True:
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:  # noqa: S310 - our own URL
                content = response.read()
            if b"errorType" in content:
                raise NotMeasured(f"the handler failed: {content[:300].decode()}")
            return (time.perf_counter() - begun) * 1000
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607

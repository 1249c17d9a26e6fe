"""``python -m bench.sagemaker``: how many invocations the SageMaker emulator answers, how fast, and in how much memory.

The shipped model behind the production server, an S3 in memory, 16 clients of plain HTTP on connections kept alive.
Every figure is of this machine and what else runs on it: the load is told along.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from PIL import Image

from tests.emulation.fakes.s3 import FakeS3, fake_s3
from tests.emulation.sagemaker.emulator import CAPTURE_BUCKET, Emulator, archive, wait_until

SHIPPED = Path(__file__).parents[1] / "training" / "vehicle_net" / "shipped"
CLIENTS = 16


@dataclass(frozen=True)
class Run:
    """So many invocations of one endpoint; ``captured`` counts ids, each of which should be there once."""

    invocations: int
    sampling_percent: int
    errors: int
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    captured: int
    captured_twice: int


def picture() -> bytes:
    """A picture of noise, 32 pixels square."""
    content = io.BytesIO()
    Image.effect_noise((32, 32), 60).convert("RGB").save(content, "PNG")
    return content.getvalue()


def load(emulator: Emulator, endpoint: str, count: int) -> tuple[list[float], list[str], int]:
    """Invoke from all clients at once; return the seconds each took, the ids sent and how many failed."""
    body = picture()

    def client(share: int) -> Iterator[tuple[float, str, bool]]:
        connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=120)
        for _ in range(share):
            number, began = uuid.uuid4().hex, time.perf_counter()
            headers = {"content-type": "image/png", "x-amzn-sagemaker-inference-id": number}
            connection.request("POST", f"/endpoints/{endpoint}/invocations", body, headers)
            with connection.getresponse() as answer:
                answer.read()
            yield time.perf_counter() - began, number, answer.status == 200
        connection.close()

    shares = [count // CLIENTS + (index < count % CLIENTS) for index in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        done = [each for one in pool.map(lambda share: list(client(share)), shares) for each in one]
    return [took for took, _, _ in done], [number for _, number, _ in done], sum(not fine for _, _, fine in done)


def measure(emulator: Emulator, endpoint: str, count: int, sampling: int) -> Run:
    """One run, and what of it was captured once the emulator has brought everything to S3."""
    began = time.perf_counter()
    took, sent, errors = load(emulator, endpoint, count)
    seconds = time.perf_counter() - began
    wait_until(lambda: drained(emulator), 60)
    found = [number for number in captured(emulator.s3, endpoint) if number in set(sent)]
    quantiles = statistics.quantiles(took, n=100)
    return Run(
        count,
        sampling,
        errors,
        round(seconds, 2),
        round(count / seconds, 1),
        round(quantiles[49] * 1000, 1),
        round(quantiles[98] * 1000, 1),
        len(found),
        len(found) - len(set(found)),
    )


def drained(emulator: Emulator) -> bool:
    """Whether every captured record is in S3."""
    captures = emulator.health()["captures"]
    return bool(captures["uploaded"] == captures["recorded"] and not captures["files_waiting"])


def captured(s3: FakeS3, endpoint: str) -> Iterator[str]:
    """The inference ids of an endpoint's captures."""
    for line in s3.lines(f"{CAPTURE_BUCKET}/data/{endpoint}/"):
        yield json.loads(line)["eventMetadata"]["inferenceId"]


def resident(emulator: Emulator) -> dict[str, float]:
    """Resident memory of the emulator and of its model servers, MiB."""
    assert emulator.process is not None  # noqa: S101 - narrows the type
    process = psutil.Process(emulator.process.pid)
    servers = sum(child.memory_info().rss for child in process.children(recursive=True))
    return {
        "emulator_mib": round(process.memory_info().rss / 2**20, 1),
        "model_servers_mib": round(servers / 2**20, 1),
    }


def main() -> int:
    """Print all figures as JSON; 1 where a call failed or a capture is missing or doubled."""
    parser = argparse.ArgumentParser(prog="python -m bench.sagemaker", description="Measure the SageMaker emulator.")
    parser.add_argument("--invocations", type=int, default=2000)
    parser.add_argument("--memory", type=int, default=20_000, metavar="N", help="invocations for the memory figure")
    parser.add_argument("--scripted", action="store_true", help="fixed answers: the emulator's own cost, no model's")
    options = parser.parse_args()
    packed = archive({name: (SHIPPED / name).read_bytes() for name in ("model.onnx", "model.json")})
    with tempfile.TemporaryDirectory() as directory, fake_s3() as s3:
        scripted = ("--scripted",) if options.scripted else ()
        program = ("-m", "emulation.sagemaker")
        emulator = Emulator(Path(directory) / "state", s3, ("--capture-seconds", "1", *scripted), program).start()
        try:
            for name, sampling in (("all", 100), ("half", 50)):
                emulator.endpoint(name, packed, sampling=sampling)
            load(emulator, "all", 200)
            told = {"cpus": os.cpu_count(), "load_average": os.getloadavg(), "clients": CLIENTS}
            runs = [measure(emulator, name, options.invocations, at) for name, at in (("all", 100), ("half", 50))]
            memory = {"before": resident(emulator)}
            _, _, errors = load(emulator, "half", options.memory)
            wait_until(lambda: drained(emulator), 60)
            memory["after"] = resident(emulator)
        finally:
            emulator.stop()
    print(json.dumps({**told, "runs": [asdict(run) for run in runs], "memory": memory, "errors": errors}, indent=2))
    whole, half = runs
    exact = whole.captured == whole.invocations and not whole.captured_twice and not half.captured_twice
    near = abs(half.captured / half.invocations - 0.5) <= 0.04
    return 0 if exact and near and not (errors or whole.errors or half.errors) else 1


if __name__ == "__main__":
    sys.exit(main())

"""How many invocations the SageMaker emulator serves, how fast, and in how much memory.

The shipped model behind the production server, 16 clients of plain HTTP on persistent connections.
"""

import http.client
import io
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from PIL import Image

from bench.deployed_environment import MeasuredDeployment, deployed, processes, resident_mib
from bench.results import Claim, Options, Section, Table
from monitoring.capture import CaptureReader, capture_location

_CLIENTS = 16
_DRAIN_SECONDS = 60


@dataclass(frozen=True)
class Run:
    """So many invocations of one endpoint; ``captured`` of the requests were captured, ``twice`` more than once."""

    invocations: int
    sampling_percent: int
    errors: int
    per_second: float
    p50_ms: float
    p99_ms: float
    captured: int
    twice: int


def measure(options: Options) -> Section:
    """Invoke two endpoints, one that captures everything and one that captures half; then watch memory."""
    count, more = (200, 400) if options.quick else (2000, 20_000)
    with deployed() as deployment:
        endpoints = {100: deployment.outputs.endpoint_name, 50: _half_captured(deployment)}
        _invoke(deployment, endpoints[100], 200)
        runs = [_run(deployment, endpoint, count, percent) for percent, endpoint in endpoints.items()]
        emulator = processes()["SageMaker emulator"]
        before = resident_mib(emulator)
        _, _, errors = _invoke(deployment, endpoints[50], more)
        _drain(deployment)
        after = resident_mib(emulator)
    rows = [
        (
            f"capture {run.sampling_percent} %",
            run.errors,
            run.per_second,
            run.p50_ms,
            run.p99_ms,
            run.captured,
            run.twice,
        )
        for run in runs
    ]
    tables = [
        Table.of(["endpoint", "errors", "a second", "p50 ms", "p99 ms", "captured", "captured twice"], rows),
        Table.of(
            ["", "before", f"after {more:,} more invocations"],
            [("emulator and model servers, MiB", before, after)],
        ),
    ]
    whole, half = runs
    claims = [
        Claim("failed invocations", errors + whole.errors + half.errors, 0),
        Claim("records missing at 100 %, or captured twice", count - whole.captured + whole.twice + half.twice, 0),
        Claim("the captured share at 50 % is off by", round(abs(half.captured / count - 0.5), 3), 0.04),
        Claim("memory after, of that before", round(after / before, 3), 1.05),
    ]
    method = f"{count:,} invocations of each endpoint by {_CLIENTS} clients, the shipped model in service."
    figures = {"runs": [asdict(run) for run in runs], "memory_mib": [before, after], "errors": errors}
    return Section("SageMaker emulator", method, tables, claims, figures)


def _half_captured(deployment: MeasuredDeployment) -> str:
    """Create an endpoint with the same model that captures every second request."""
    client, name = deployment.session.client("sagemaker"), "bench-half"
    existing = client.describe_endpoint(EndpointName=deployment.outputs.endpoint_name)["EndpointConfigName"]
    config = client.describe_endpoint_config(EndpointConfigName=existing)
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=config["ProductionVariants"],
        DataCaptureConfig={**config["DataCaptureConfig"], "InitialSamplingPercentage": 50},
    )
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    client.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    return name


def _run(deployment: MeasuredDeployment, endpoint: str, count: int, percent: int) -> Run:
    since, began = datetime.now(UTC), time.perf_counter()
    latencies, ids, errors = _invoke(deployment, endpoint, count)
    seconds = time.perf_counter() - began
    _drain(deployment)
    location = capture_location(deployment.session.client("sagemaker"), endpoint)
    reader = CaptureReader(deployment.session.client("s3"), location, since)
    captured = Counter(record.inference_id for record in reader)
    quantiles = [round(each * 1000, 1) for each in statistics.quantiles(latencies, n=100)]
    return Run(
        count,
        percent,
        errors,
        round(count / seconds, 1),
        quantiles[49],
        quantiles[98],
        sum(each in captured for each in ids),
        sum(captured[each] > 1 for each in ids) + reader.counts.duplicates,
    )


def _invoke(deployment: MeasuredDeployment, endpoint: str, count: int) -> tuple[list[float], list[str], int]:
    """Invoke from all clients at once; return the seconds of each, the inference ids, and how many failed."""
    content = io.BytesIO()
    Image.effect_noise((32, 32), 60).convert("RGB").save(content, "PNG")
    address = urlsplit(deployment.state.sagemaker_url)

    def client(share: int) -> Iterator[tuple[float, str, bool]]:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=120)
        for _ in range(share):
            number, began = uuid.uuid4().hex, time.perf_counter()
            headers = {"content-type": "image/png", "x-amzn-sagemaker-inference-id": number}
            connection.request("POST", f"/endpoints/{endpoint}/invocations", content.getvalue(), headers)
            with connection.getresponse() as response:
                response.read()
            yield time.perf_counter() - began, number, response.status != 200
        connection.close()

    shares = [count // _CLIENTS + (index < count % _CLIENTS) for index in range(_CLIENTS)]
    with ThreadPoolExecutor(_CLIENTS) as pool:
        invocations = [each for one in pool.map(lambda share: list(client(share)), shares) for each in one]
    latencies, ids, failed = zip(*invocations, strict=True)
    return list(latencies), list(ids), sum(failed)


def _drain(deployment: MeasuredDeployment) -> None:
    """Wait until every captured record is in S3."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    while time.monotonic() < deadline:
        captures = httpx.get(f"{deployment.state.sagemaker_url}/_scones/health").json()["captures"]
        if captures["uploaded"] == captures["recorded"] and not captures["files_waiting"]:
            return
        time.sleep(0.2)
    raise TimeoutError(f"captures are not in S3 after {_DRAIN_SECONDS} s: {captures}")

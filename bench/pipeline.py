"""Executions of the state machine on the local stack: throughput, latency, and in which states the time goes.

The rival is an empty state machine, one Pass state, on the same LocalStack: what is left is the pipeline's own.
"""

import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.results import Claim, Section
from bench.workflow.rig import Rig, pictures, running
from orchestration import executions, history
from scones import pipeline
from scones.settings import Settings

CONCURRENCIES = (1, 4, 16)
_EMPTY = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}


def section(options: Any) -> Section:
    """Measure for `make bench`."""
    count = 12 if options.quick else 120
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "home", Settings.from_environment().cache) as rig:
        images = _uploaded(rig, Path(name) / "pictures", 24)
        empty = _empty_machine(rig)
        rig.run(images[:8], "warm", concurrency=4, threshold=0.5)
        rows, figures = [], {}
        for concurrency in CONCURRENCIES:
            each = [images[number % len(images)] for number in range(count)]
            begun = time.monotonic()
            outcomes = rig.run(each, f"at-{concurrency}", concurrency=concurrency, threshold=0.5)
            seconds = time.monotonic() - begun
            floor = _empty_runs(rig, empty, count, concurrency)
            taken = sorted(outcome.milliseconds for outcome in outcomes)
            found = {"per_second": count / seconds, "p50": _at(taken, 50), "p95": _at(taken, 95), "empty_p50": floor}
            figures[str(concurrency)] = {key: round(value, 1) for key, value in found.items()}
            rows.append([f"{concurrency} at a time", *(f"{value:.1f}" for value in figures[str(concurrency)].values())])
        states = _by_state(
            rig, [outcome.execution_arn for outcome in rig.run(images, "states", concurrency=1, threshold=0.5)]
        )
    figures["states_ms"] = states
    rows += [[f"in {state}", "", f"{middle}", "", ""] for state, middle in states.items()]
    claims = [Claim("p50 of a single execution, ms", figures["1"]["p50"], 300)]
    how = (
        f"{count} executions a line on the embedded stack, the shipped model in service; ms as Step Functions tells "
        "them. The rival is a state machine of one empty state on the same LocalStack."
    )
    header = ["executions", "a second", "p50 ms", "p95 ms", "empty machine, p50 ms"]
    return Section("Pipeline", how, header, rows, claims, figures)


def _uploaded(rig: Rig, folder: Path, count: int) -> list[executions.Image]:
    pictures(folder, count, broken=0)
    quiet: Callable[[int, int], None] = lambda _done, _total: None  # noqa: E731
    return pipeline.upload_images(
        rig.client("s3"), rig.deployed.data_bucket, "runs/bench", sorted(folder.iterdir()), quiet
    )


def _empty_machine(rig: Rig) -> str:
    client = rig.client("stepfunctions")
    role = client.describe_state_machine(stateMachineArn=rig.deployed.state_machine_arn)["roleArn"]
    made = client.create_state_machine(name="bench-empty", definition=json.dumps(_EMPTY), roleArn=role)
    return str(made["stateMachineArn"])


def _empty_runs(rig: Rig, machine: str, count: int, concurrency: int) -> float:
    client = rig.client("stepfunctions")

    def one(_number: int) -> float:
        arn = client.start_execution(stateMachineArn=machine)["executionArn"]
        while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.02)
        return float((found["stopDate"] - found["startDate"]).total_seconds() * 1000)

    with ThreadPoolExecutor(concurrency) as pool:
        return statistics.median(pool.map(one, range(count)))


def _by_state(rig: Rig, arns: list[str]) -> dict[str, float]:
    taken = defaultdict(list)
    for arn in arns:
        for visit in history.history(rig.client("stepfunctions"), arn):
            if visit.milliseconds is not None:
                taken[visit.name].append(visit.milliseconds)
    return {name: round(statistics.median(times), 1) for name, times in taken.items() if len(times) > len(arns) / 2}


def _at(ranked: list[float], percent: int) -> float:
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]

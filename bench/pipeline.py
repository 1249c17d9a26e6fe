"""Executions of the state machine on the local environment: throughput, latency, and in which states the time goes.

The baseline is an empty state machine, one Pass state, on the same LocalStack: what is left is the pipeline's own.
"""

import json
import statistics
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from bench.deployed_environment import MeasuredDeployment, deployed
from bench.results import Claim, Options, Section, Table
from core.waiting import WaiterConfig
from orchestration import executions, history
from orchestration.executions import Outcome, S3Image

_CONCURRENCIES = (1, 4, 16)
_WAITER = WaiterConfig(timeout_seconds=900, poll_seconds=0.1)
_EMPTY = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}


def measure(options: Options) -> Section:
    """Run executions at three concurrencies, then one by one for the time in each state."""
    count = 12 if options.quick else 120
    figures: dict[str, dict[str, float]] = {}
    with deployed() as deployment:
        images = deployment.upload(24)
        empty = _empty_machine(deployment)
        _run(deployment, images[:8], "warm", 4)
        for concurrency in _CONCURRENCIES:
            begun = time.monotonic()
            outcomes = _run(
                deployment, [images[n % len(images)] for n in range(count)], f"at-{concurrency}", concurrency
            )
            seconds = time.monotonic() - begun
            ranked = sorted(outcome.milliseconds for outcome in outcomes)
            each = {
                "per_second": count / seconds,
                "p50": _percentile(ranked, 50),
                "p95": _percentile(ranked, 95),
                "empty_p50": _empty_median(deployment, empty, count, concurrency),
            }
            figures[str(concurrency)] = {name: round(value, 1) for name, value in each.items()}
        single = _run(deployment, images, "states", 1)
        states = _by_state(deployment, [outcome.execution_arn for outcome in single])
    rows = [(f"{concurrency} at a time", *each.values()) for concurrency, each in figures.items()]
    rows += [(f"in {state}", "", median, "", "") for state, median in states.items()]
    figures["states_ms"] = states
    claims = [Claim("p50 of a single execution, ms", figures["1"]["p50"], 300)]
    method = (
        f"{count} executions a line on the local environment, the shipped model in service; ms as Step Functions "
        "reports them. The baseline is a state machine of one empty state on the same LocalStack."
    )
    header = ["executions", "a second", "p50 ms", "p95 ms", "empty machine, p50 ms"]
    return Section("Pipeline", method, [Table.of(header, rows)], claims, figures)


def _run(deployment: MeasuredDeployment, images: list[S3Image], name: str, concurrency: int) -> list[Outcome]:
    client, machine = deployment.session.client("stepfunctions"), deployment.outputs.state_machine_arn
    return executions.run(
        client, machine, images, run_name=name, concurrency=concurrency, waiter=_WAITER, threshold=0.5
    )


def _empty_machine(deployment: MeasuredDeployment) -> str:
    client = deployment.session.client("stepfunctions")
    role = client.describe_state_machine(stateMachineArn=deployment.outputs.state_machine_arn)["roleArn"]
    created = client.create_state_machine(name="bench-empty", definition=json.dumps(_EMPTY), roleArn=role)
    return str(created["stateMachineArn"])


def _empty_median(deployment: MeasuredDeployment, machine: str, count: int, concurrency: int) -> float:
    client = deployment.session.client("stepfunctions")

    def run_one(_number: int) -> float:
        arn = client.start_execution(stateMachineArn=machine)["executionArn"]
        while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.02)
        return float((execution["stopDate"] - execution["startDate"]).total_seconds() * 1000)

    with ThreadPoolExecutor(concurrency) as pool:
        return statistics.median(pool.map(run_one, range(count)))


def _by_state(deployment: MeasuredDeployment, arns: list[str]) -> dict[str, float]:
    """Return the median milliseconds of each state that most executions visit."""
    visits = defaultdict(list)
    for arn in arns:
        for visit in history.history(deployment.session.client("stepfunctions"), arn):
            if visit.milliseconds is not None:
                visits[visit.name].append(visit.milliseconds)
    return {name: round(statistics.median(each), 1) for name, each in visits.items() if len(each) > len(arns) / 2}


def _percentile(ranked: list[float], percent: int) -> float:
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]

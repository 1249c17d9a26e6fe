"""An hour of images at a gentle rate on the local environment: whether the memory of its processes keeps growing."""

import time
from collections import Counter

from bench.deployed_environment import MeasuredDeployment, deployed, processes, resident_mib
from bench.results import Claim, Options, Section, Table
from core.waiting import WaiterConfig
from orchestration import executions

_MINUTES = 60
_SETTLED_MINUTES = 10
"""Imports, pools and caches are complete by then."""
_BURST, _BURST_SECONDS = 5, 10.0
_WAITER = WaiterConfig(timeout_seconds=300, poll_seconds=0.2)


def measure(options: Options) -> Section:
    """Run executions for an hour, and read the memory of every process each minute."""
    minutes, settled = (2, 1) if options.quick else (_MINUTES, _SETTLED_MINUTES)
    statuses: Counter[str] = Counter()
    by_minute: list[dict[str, float]] = []
    with deployed() as deployment:
        images = deployment.upload(_BURST)
        begun = time.monotonic()
        for minute in range(1, minutes + 1):
            while time.monotonic() - begun < 60 * minute:
                _run_burst(deployment, images, statuses)
                time.sleep(max(0.0, begun + statuses.total() / _BURST * _BURST_SECONDS - time.monotonic()))
            by_minute.append({name: resident_mib(family) for name, family in processes().items()})
    first, last = by_minute[settled - 1], by_minute[-1]
    growth = {name: round(last[name] / first[name], 3) for name in first}
    shown = sorted({settled, *range(_SETTLED_MINUTES, minutes + 1, _SETTLED_MINUTES), minutes})
    rows = [(name, *(by_minute[minute - 1][name] for minute in shown), growth[name]) for name in first]
    header = ["process", *(f"MiB after {minute} min" for minute in shown), f"end, of {settled} min"]
    counts = ", ".join(f"{count:,} {status}" for status, count in statuses.items())
    method = (
        f"{minutes} minutes with {_BURST / _BURST_SECONDS:g} images a second through the state machine ({counts}); "
        "resident memory of each component with its children."
    )
    statement = f"memory after {minutes} minutes, of that after {settled}, of what grows most"
    claims = [Claim(statement, max(growth.values()), 1.05)]
    return Section("Soak", method, [Table.of(header, rows)], claims, {"mib_by_minute": by_minute})


def _run_burst(deployment: MeasuredDeployment, images: list[executions.S3Image], statuses: Counter[str]) -> None:
    """Classify a few images, and count how the executions ended."""
    client, machine = deployment.session.client("stepfunctions"), deployment.outputs.state_machine_arn
    name = f"soak-{statuses.total()}"
    outcomes = executions.run(client, machine, images, run_name=name, concurrency=2, waiter=_WAITER)
    statuses.update(outcome.status for outcome in outcomes)

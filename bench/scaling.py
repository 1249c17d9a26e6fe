"""How far the pipeline scales: which quota is reached first, and a simulation, compared with a measurement.

python -m bench.scaling [--rate IMAGES_AN_HOUR] [--endpoint IMAGES_A_SECOND]

An image passes three Lambdas one after another, the second of which waits for the endpoint. The simulation is a closed
queue: so many executions at a time, one interpreter of LocalStack's that all of them share, and a time that passes in
each execution without it (the Lambdas, the model, the client that starts and polls). The two numbers that it needs are
taken from the pipeline bench at concurrency 1 and 16; what it says of concurrency 4 is then a prediction. With AWS's
numbers, the instances of the endpoint are what executions queue for, and the Lambdas are the remaining time.
"""

import argparse
import heapq
import math
import random
from dataclasses import dataclass

from bench.results import Claim, NotMeasured, Options, Section, Table

HOUR = 3600
_INTERPRETERS = 1  # LocalStack is one Python process: whatever has cores, one thread of it runs at a time


@dataclass(frozen=True)
class Quota:
    """A default quota in us-east-1: so many of ``what`` at a time or a second; ``source`` is the page that says so."""

    name: str
    limit: float
    what: str
    source: str


@dataclass(frozen=True)
class Load:
    """What an image asks for; durations in seconds are assumptions, as in docs/cost.md, until measured on AWS."""

    serialize: float = 0.060
    classify: float = 0.060
    filter: float = 0.003
    transitions: int = 4
    endpoint_per_second: float = 50.0
    item_bytes: int = 100

    @property
    def lambda_seconds(self) -> float:
        """Seconds of Lambda concurrency that an image takes up."""
        return self.serialize + self.classify + self.filter


_STEP_FUNCTIONS = "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"
_QUOTAS = {
    "batch": Quota("`BatchConcurrency`, the stack's own", 16, "images", "architecture.md"),
    "endpoint": Quota("instances behind the endpoint, `scones endpoint deploy`", 1, "instances", "architecture.md"),
    "start": Quota("Step Functions, StartExecution, Standard", 300, "a second", _STEP_FUNCTIONS),
    "transitions": Quota("Step Functions, state transitions, Standard", 5000, "a second", _STEP_FUNCTIONS),
    "children": Quota("Distributed Map, child executions", 10_000, "children", _STEP_FUNCTIONS),
    "lambda": Quota("Lambda, concurrent executions", 1000, "executions", _LAMBDA),
    "s3": Quota("S3, GET requests to one prefix", 5500, "a second", _S3),
}


def used(rate: float, load: Load) -> dict[str, float]:
    """Return what ``rate`` images an hour take of each quota, in the quota's own unit."""
    second = rate / HOUR
    return {
        "lambda": second * load.lambda_seconds,
        "transitions": second * load.transitions,
        "start": second,
        "batch": second * load.lambda_seconds,
        "children": second * load.lambda_seconds,
        "s3": second,
        "endpoint": second / load.endpoint_per_second,
    }


def quotas_by_rate(load: Load) -> list[tuple[str, float]]:
    """Return the quotas by the images an hour at which each is used up, the smallest first."""
    return sorted(
        ((name, quota.limit / used(1, load)[name]) for name, quota in _QUOTAS.items()), key=lambda each: each[1]
    )


def simulate(
    count: int, concurrency: int, cores: int, busy: float, idle: float, slices: int = 10, seed: int = 0
) -> tuple[float, float]:
    """Return executions a second and the median seconds of one, of ``count`` that run ``concurrency`` at a time.

    Each needs ``busy`` seconds of one core, in ``slices`` that queue for the cores, and ``idle`` seconds without one.
    """
    generator = random.Random(seed)  # noqa: S311 - no secrets
    free = [0.0] * cores
    ready = [(0.0, number, 0, 0.0) for number in range(min(concurrency, count))]
    heapq.heapify(ready)
    begun, taken, last = len(ready), [], 0.0
    while ready:
        now, number, done, started = heapq.heappop(ready)
        core = heapq.heappop(free)
        begin = max(now, core)
        end = begin + generator.uniform(0.5, 1.5) * busy / slices
        heapq.heappush(free, end)
        after = end + idle / slices
        if done + 1 < slices:
            heapq.heappush(ready, (after, number, done + 1, started))
            continue
        taken.append(after - started)
        last = max(last, after)
        if begun < count:
            heapq.heappush(ready, (after, begun, 0, after))
            begun += 1
    return count / last, sorted(taken)[len(taken) // 2]


def fitted(single_ms: float, per_second: float, cores: int) -> tuple[float, float]:
    """Return the seconds of a core, and those without, that give a single execution's time and the throughput at 16."""
    low, high = 0.0, single_ms / 1000
    for _ in range(40):
        busy = (low + high) / 2
        rate, _ = simulate(200, 16, cores, busy, max(0.0, single_ms / 1000 - busy))
        low, high = (busy, high) if rate > per_second else (low, busy)
    return busy, max(0.0, single_ms / 1000 - busy)


def measure(options: Options) -> Section:
    """Compare the simulation with the measured pipeline."""
    if "pipeline" not in options.previous:
        raise NotMeasured("it is compared with the pipeline's figures: run `python -m bench pipeline` first")
    measured = options.previous["pipeline"]["figures"]
    seen = {concurrency: float(measured[str(concurrency)]["per_second"]) for concurrency in (1, 4, 16)}
    busy, idle = fitted(1000 / seen[1], seen[16], _INTERPRETERS)
    simulated = {each: simulate(400, each, _INTERPRETERS, busy, idle)[0] for each in seen}
    rows = [(f"{each} at a time", f"{seen[each]:.1f}", f"{simulated[each]:.1f}") for each in seen]
    method = (
        f"A closed queue in front of one interpreter. An execution takes {busy * 1000:.0f} ms of its time and "
        f"{idle * 1000:.0f} ms elsewhere, fitted to the throughput with 1 and 16 executions at a time; that with 4 is "
        "predicted."
    )
    off = round(abs(simulated[4] / seen[4] - 1), 2)
    claims = [Claim("the prediction for four at a time is off by, as a share", off, 0.25)]
    figures = {"busy_ms": round(busy * 1000, 1), "idle_ms": round(idle * 1000, 1)}
    figures |= {str(each): round(rate, 2) for each, rate in simulated.items()}
    header = ["executions", "a second, measured", "a second, simulated"]
    return Section("Scaling", method, [Table.of(header, rows)], claims, figures)


@dataclass(frozen=True)
class Account:
    """What one account runs: instances behind the endpoint, and images of a batch in progress."""

    description: str
    instances: int
    concurrency: int


ACCOUNTS = (
    Account("as deployed", 1, 16),
    Account("`--min 6`, `--concurrency 64`", 6, 64),
    Account("24 instances, `--concurrency 256`", 24, 256),
    Account("560 instances, `--concurrency 5000`", 560, 5000),
)
COUNTS = (10_000, 1_000_000, 100_000_000)


def forecast(load: Load, accounts: tuple[Account, ...] = ACCOUNTS) -> str:
    """Return how long batches take on AWS by the simulation, as Markdown."""
    lines = ["| | images a second | limited by | " + " | ".join(f"{count:,} images" for count in COUNTS) + " |"]
    lines.append("|---|---:|---|" + "---:|" * len(COUNTS))
    for account in accounts:
        busy, sample = 1 / load.endpoint_per_second, max(4_000, 8 * account.concurrency)
        rate, _ = simulate(sample, account.concurrency, account.instances, busy, load.lambda_seconds - busy, slices=1)
        is_endpoint = rate > 0.85 * account.instances * load.endpoint_per_second
        limit = "instances" if is_endpoint else "concurrency"
        times = " | ".join(_duration(count / rate) for count in COUNTS)
        lines.append(f"| {account.description} | {rate:,.0f} | {limit} | {times} |")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    for unit, length in (("days", 24 * HOUR), ("hours", HOUR), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:,.1f} s"


def table(load: Load, rates: tuple[int, ...] = COUNTS) -> str:
    """Return which quota is used by how much at some rates, as Markdown."""
    lines = [
        "| quota | default | " + " | ".join(f"{rate:,} an hour" for rate in rates) + " | reached at, images an hour |"
    ]
    lines.append("|---|---:" + "|---:" * (len(rates) + 1) + "|")
    for name, most in quotas_by_rate(load):
        quota = _QUOTAS[name]
        shares = " | ".join(_amount(used(rate, load)[name]) for rate in rates)
        lines.append(
            f"| [{quota.name}]({quota.source}) | {quota.limit:,.0f} {quota.what} | {shares} | {math.floor(most):,} |"
        )
    return "\n".join(lines)


def _amount(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def main(arguments: list[str] | None = None) -> int:
    """Print the arithmetic."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=1_000_000, help="images an hour (default: %(default)s)")
    parser.add_argument(
        "--endpoint", type=float, default=Load.endpoint_per_second, help="images a second of one instance"
    )
    options = parser.parse_args(arguments)
    load = Load(endpoint_per_second=options.endpoint)
    print(table(load, (options.rate,)), forecast(load), sep="\n\n")
    print(f"\ninstances for {options.rate:,} an hour: {math.ceil(used(options.rate, load)['endpoint'])}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

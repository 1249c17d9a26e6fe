"""From nothing to a Lambda function's first response, as a bare process, compared with what others would write.

Each figure is the median over processes started alternately: Python's own start, import of the handler and its first
invocation. CPU time is shown next to wall time, because a busy machine changes it less.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.handlers import BASELINE_OF, EVENTS, ColdStart, aws_stub, install
from bench.results import Claim, Options, Section, Table

_BOUNDS = {"serialize": 0.6, "classify": 0.6, "filter": 1.2}


def measure(options: Options) -> Section:
    """Start every handler alternately."""
    rounds = 3 if options.quick else 15
    figures = _medians(rounds)

    def ratio(name: str, figure: str) -> float:
        return float(round(figures[name][figure] / figures[BASELINE_OF[name]][figure], 2))

    rows = []
    for name, each in figures.items():
        low, high = each["quartiles"]
        baseline = (
            f"{ratio(name, 'milliseconds')} ({ratio(name, 'cpu_milliseconds')} of CPU)" if name in BASELINE_OF else ""
        )
        rows.append(
            (name, f"{each['milliseconds']} ({low} to {high})", each["cpu_milliseconds"], each["mebibytes"], baseline)
        )
    slowest = max(figures[name]["milliseconds"] for name in EVENTS)
    sdk = round(figures["SageMaker SDK"]["milliseconds"] / slowest, 1)
    claims = [
        *(
            Claim(f"{name}, of {BASELINE_OF[name]}, by processor time", ratio(name, "cpu_milliseconds"), bound)
            for name, bound in _BOUNDS.items()
        ),
        Claim("the slowest of them, times faster than one that imports the SageMaker SDK", sdk, 5, at_least=True),
    ]
    method = (
        "From the start of a bare process to the first response of its handler, against a stand-in for S3 and "
        f"SageMaker on loopback: medians of {rounds} processes of each, alternately; quartiles in brackets."
    )
    table = Table.of(["handler", "ms", "CPU ms", "peak MiB", "of its baseline"], rows)
    return Section("Lambda start, bare process", method, [table], claims, figures)


def _medians(rounds: int) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch, aws_stub() as url:
        handlers = install(Path(scratch))
        samples: dict[str, list[ColdStart]] = {name: [] for name in handlers}
        for number in range(rounds + 1):
            for name, (folder, event) in handlers.items():
                sample = ColdStart.of(folder, event, url)
                if number:  # the first round warms the disk's cache
                    samples[name].append(sample)
    figures: dict[str, dict[str, Any]] = {}
    for name, starts in samples.items():
        low, middle, high = statistics.quantiles([each.milliseconds for each in starts], n=4)
        figures[name] = {
            "milliseconds": round(middle, 1),
            "quartiles": [round(low, 1), round(high, 1)],
            "cpu_milliseconds": round(statistics.median(each.cpu_milliseconds for each in starts), 1),
            "mebibytes": round(statistics.median(each.mebibytes for each in starts), 1),
            "n": len(starts),
        }
    return figures

"""What a company would ask of the workflow, measured on the local stack: batches, outages, images of any size.

python -m bench.batch [batch|growth|outage|payload|functions ...] [--images 1000] [--into FILE] [--write docs/batch.md]

batch    1,000 rendered images as one batch, one in twenty broken and one in ten calls of the endpoint throttled: all
         accounted for, the same results as one by one, images a second, CPU seconds of each part of the stack
growth   500 and 2,000 images: whether the memory of our processes grows with their number; samples of LocalStack
outage   200 executions, in whose middle the endpoint is killed, then a Lambda, then the network to that Lambda is cut
payload  images of 50 KB, 190 KB, 300 KB, 5 MB and 20 MB: classified, or refused by name
functions  memory and time of each function on the largest images that are taken, beside what the template gives it

Each is measured on a stack of its own. --into adds the figures to a file, from which --write makes the page; --write
alone measures nothing anew.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.workflow.batches import batch, timed
from bench.workflow.functions import functions
from bench.workflow.outages import outage
from bench.workflow.page import page
from bench.workflow.payloads import payload
from bench.workflow.rig import Rig, families, running
from bench.workflow.sampling import sampled
from scones.settings import Settings

WHAT = ("batch", "growth", "outage", "payload", "functions")
GROWTH = (500, 2000)


def growth(rig: Rig, scratch: Path) -> dict[str, Any]:
    """Run a small and a large batch one after the other; the small one is sampled."""
    with sampled(families()["LocalStack"][0].pid) as samples:
        small = timed(rig, scratch, GROWTH[0], broken=0)
    large = timed(rig, scratch, GROWTH[1], broken=0)
    return {"batches": [small, large], "samples": dict(samples.most_common())}


def measured(what: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure one thing, and say on what machine and when."""
    load = os.getloadavg()[0]
    found = functions() if what == "functions" else on_a_stack(what, chosen)
    return {"machine": machine(), "load": [round(load, 1), round(os.getloadavg()[0], 1)], "found": found}


def on_a_stack(what: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure one thing on a fresh stack."""
    cache = Settings.from_environment().cache
    with (
        tempfile.TemporaryDirectory() as name,
        running(Path(name) / "home", cache, relayed=what == "outage") as rig,
    ):
        scratch = Path(name)
        return {
            "batch": lambda: batch(rig, scratch, chosen.images),
            "growth": lambda: growth(rig, scratch),
            "outage": lambda: outage(rig, scratch, chosen.executions, chosen.seconds),
            "payload": lambda: payload(rig, scratch),
        }[what]()


def machine() -> dict[str, Any]:
    """Say what was measured on, and when."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    memory = round(psutil.virtual_memory().total / 2**30)
    python = platform.python_version()
    return {
        "cores": os.cpu_count(),
        "cpu": cpu,
        "gib": memory,
        "python": python,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    """Measure what was asked for, print it as JSON, and write the page where that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.batch", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", choices=[*WHAT, []], metavar="WHAT", help=", ".join(WHAT))
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each outage")
    parser.add_argument("--into", type=Path, default=Path("out/bench-batch.json"), help="where figures are kept")
    parser.add_argument("--write", type=Path, help="the page to make of all figures that are kept")
    chosen = parser.parse_args()
    kept = json.loads(chosen.into.read_text()) if chosen.into.exists() else {}
    for what in chosen.what or ([] if chosen.write else WHAT):
        kept[what] = measured(what, chosen)
        chosen.into.parent.mkdir(parents=True, exist_ok=True)
        chosen.into.write_text(json.dumps(kept, indent=2) + "\n")
        json.dump({what: kept[what]}, sys.stdout, indent=2)
        print()
    if chosen.write:
        chosen.write.write_text(page(kept), "utf-8")


if __name__ == "__main__":
    main()

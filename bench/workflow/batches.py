"""Batches through the command line as a user runs them: what became of each image, and what it cost."""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.workflow.rig import Rig, cpu_seconds, families, pictures
from orchestration import history
from orchestration.executions import Image, Outcome

COMMAND = "scones batch"
_LOOK_SECONDS = 0.25


def batch(rig: Rig, scratch: Path, count: int) -> dict[str, Any]:
    """Run a batch with broken images and a throttling endpoint, then each image by itself, and compare."""
    before = rig.queued()
    rig.faults(kind="throttling", share=0.1, seed=1)
    found = timed(rig, scratch, count, broken=0.05)
    struck = httpx.get(f"{rig.state.sagemaker_url}/_scones/faults").json()
    rig.faults()
    results = json.loads(Path(found["results"]).read_text())
    queued = rig.queued() - before
    ends = {item["s3_key"]: _end(item) for item in results}
    alone = rig.run([Image(item["s3_bucket"], item["s3_key"]) for item in results], f"alone-{count}", concurrency=4)
    differing = [outcome.image.s3_key for outcome in alone if _end_alone(outcome) != ends[outcome.image.s3_key]]
    return found | {
        "queued": dict(queued),
        "differing": len(differing),
        "throttled": sum(fault["struck"] for fault in struck["faults"]),
        "one_by_one": one_by_one(rig, alone),
    }


def timed(rig: Rig, scratch: Path, count: int, *, broken: float) -> dict[str, Any]:
    """Run one batch and return what the command printed, with its exit code, CPU seconds and memory by part."""
    folder = scratch / f"pictures-{count}"
    pictures(folder, count, broken)
    cpu = cpu_seconds()
    command = [sys.executable, "-m", "scones", "batch", str(folder), "--json", "--out", str(scratch)]
    environment = {**os.environ, "SCONES_HOME": str(rig.settings.home), "SCONES_CACHE": str(rig.settings.cache)}
    with tempfile.TemporaryFile("w+") as out, psutil.Popen(command, env=environment, stdout=out) as process:
        with _memory_watched(process) as peaks:
            own = _waited(process)
        out.seek(0)
        found: dict[str, Any] = json.loads(out.read())
    used = {name: round(seconds - cpu.get(name, 0.0), 1) for name, seconds in cpu_seconds().items()}
    return found | {
        "exit": process.returncode,
        "images_a_second": round(count / found["seconds"], 2),
        "cpu_seconds": used | {COMMAND: round(own, 1)},
        "peak_mib": {name: round(peak / 2**20) for name, peak in peaks.items()},
    }


def _waited(process: psutil.Popen) -> float:
    """Wait for a process to end and return the CPU seconds that it was last seen with."""
    seconds = 0.0
    while process.poll() is None:
        with suppress(psutil.Error):
            seconds = sum(process.cpu_times()[:2])
        time.sleep(_LOOK_SECONDS / 5)
    return seconds


@contextmanager
def _memory_watched(command: psutil.Process) -> Iterator[dict[str, int]]:
    """Give the most bytes that each part of the stack, and the command, were seen with while the block ran."""
    peaks: dict[str, int] = {}
    ended = threading.Event()

    def watch() -> None:
        watched = families() | {COMMAND: [command]}
        while not ended.wait(_LOOK_SECONDS):
            for name, family in watched.items():
                with suppress(psutil.Error):
                    peaks[name] = max(peaks.get(name, 0), sum(one.memory_info().rss for one in family))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def one_by_one(rig: Rig, outcomes: list[Outcome], sample: int = 100) -> dict[str, Any]:
    """Return where the time of single executions goes: mean milliseconds in each state of ``sample`` that succeeded."""
    ended = [outcome for outcome in outcomes if outcome.status == "SUCCEEDED"][:sample]
    client = rig.client("stepfunctions")
    spent: dict[str, float] = {}
    for outcome in ended:
        for visit in history.history(client, outcome.execution_arn):
            spent[visit.name] = spent.get(visit.name, 0.0) + (visit.milliseconds or 0.0)
    whole = sum(outcome.milliseconds for outcome in ended)
    spent["between states"] = whole - sum(spent.values())
    return {"executions": len(ended), "mean_ms": {name: round(ms / len(ended), 1) for name, ms in spent.items()}}


def _end(item: dict[str, Any]) -> tuple[Any, ...]:
    return item["outcome"], item["label"], item["confidence"]


def _end_alone(outcome: Outcome) -> tuple[Any, ...]:
    output = outcome.output or {}
    return outcome.error or outcome.status, output.get("label"), output.get("confidence")

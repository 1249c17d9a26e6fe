"""What a company would ask of the workflow, measured on the local stack: batches, outages, images of any size.

python -m bench.batch [batch|outage|payload ...] [--images 1000] [--executions 200] [--seconds 20]

batch    1,000 rendered images as one batch, one in twenty broken and one in ten calls of the endpoint throttled: all
         accounted for, the same results as one by one, images a second, CPU seconds of each part of the stack
outage   200 executions, in whose middle the endpoint is killed, then a Lambda, then that Lambda is cut off
payload  images of 50 KB, 190 KB, 300 KB, 5 MB and 20 MB: classified, or refused by name
"""

import argparse
import io
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image as Picture

from bench.outages import cut_off, killed
from emulation.embedded import EmbeddedStack
from emulation.session import OfflineSession
from emulation.state import StackState
from orchestration import executions, queues
from orchestration.executions import Image, Outcome
from scones import pipeline
from scones.settings import Settings
from training.data.staging import png
from training.data.synthetic import SyntheticSource

PAYLOADS = {"50 KB": 50_000, "190 KB": 190_000, "300 KB": 300_000, "5 MB": 5_000_000, "20 MB": 20_000_000}


@dataclass(frozen=True)
class Rig:
    """A stack that runs, with the shipped model in service."""

    state: StackState
    session: OfflineSession
    deployed: pipeline.Deployed
    settings: Settings

    def client(self, service: str) -> Any:
        """Return a client of the stack's."""
        return self.session.client(service)

    def queued(self) -> Counter[str]:
        """Return how many messages each queue holds."""
        urls = {"review": self.deployed.review_queue_url, "failure": self.deployed.failure_queue_url}
        return Counter({name: executions.queue_length(self.client("sqs"), url) for name, url in urls.items()})

    def faults(self, **fault: Any) -> None:
        """Let the endpoint fail as described; without a description, no longer."""
        url = f"{self.state.sagemaker_url}/_scones/faults"
        answer = httpx.put(url, json={"endpoint": None, **fault}) if fault else httpx.delete(url)
        answer.raise_for_status()

    def run(self, images: list[Image], name: str, concurrency: int = 16, **more: Any) -> list[Outcome]:
        """Run images one by one, each as its own execution."""
        machine, client = self.deployed.state_machine_arn, self.client("stepfunctions")
        return executions.run(client, machine, images, run_name=name, concurrency=concurrency, timeout=900, **more)


@contextmanager
def running(home: Path, cache: Path) -> Iterator[Rig]:
    """Start a stack, deploy, and put the shipped model in service."""
    settings = Settings(home=home, cache=cache)
    with EmbeddedStack(home, cache, settings.services, faults=True) as state:
        session = OfflineSession(state.localstack_url, state.sagemaker_url)
        pipeline.deploy_stack(session, settings, {})
        deployed = pipeline.deployed(session, settings)
        pipeline.deploy_endpoint(session, deployed, image_uri="scones/inference:local", instance_type="ml.m5.xlarge")
        yield Rig(state, session, deployed, settings)


def pictures(folder: Path, count: int, broken: float) -> None:
    """Write ``count`` rendered images, a share of them broken in one way or another."""
    folder.mkdir(parents=True)
    every = round(1 / broken) if broken else count + 1
    _, rendered = SyntheticSource(train=count, test=0).pictures()
    for number, picture in enumerate(rendered):
        content = png(picture)
        if number % every == every - 1:
            bad = (b"", b"not a picture\n", content[: len(content) // 2])
            content = bad[number // every % len(bad)]
        (folder / f"{number:06d}.png").write_bytes(content)


def batch(rig: Rig, scratch: Path, count: int) -> dict[str, Any]:
    """Run the batch as a user does, then each image by itself, and compare."""
    pictures(scratch / "pictures", count, broken=0.05)
    before, cpu = rig.queued(), _cpu_seconds()
    rig.faults(kind="throttling", share=0.1, seed=1)
    command = [sys.executable, "-m", "scones", "batch", str(scratch / "pictures"), "--json", "--out", str(scratch)]
    environment = {**os.environ, "SCONES_HOME": str(rig.settings.home), "SCONES_CACHE": str(rig.settings.cache)}
    code, said, peak = _watched(command, environment)
    used = {name: round(seconds - cpu.get(name, 0.0), 1) for name, seconds in _cpu_seconds().items()}
    struck = httpx.get(f"{rig.state.sagemaker_url}/_scones/faults").json()
    rig.faults()
    found = json.loads(said)
    results = json.loads(Path(found["results"]).read_text())
    queued = rig.queued() - before
    ends = {item["s3_key"]: _end(item) for item in results}
    alone = rig.run([Image(item["s3_bucket"], item["s3_key"]) for item in results], "alone", concurrency=4)
    differing = [outcome.image.s3_key for outcome in alone if _end_alone(outcome) != ends[outcome.image.s3_key]]
    found |= {"exit": code, "queued": dict(queued), "differing": len(differing), "faults": struck}
    found["images_a_second"] = round(count / found["seconds"], 2)
    found["cpu_seconds"] = used
    found["peak_mib_of_scones_batch"] = round(peak / 2**20)
    return found


def _watched(command: list[str], environment: dict[str, str]) -> tuple[int, str, int]:
    """Run a command and return its exit code, its standard output and the most bytes of memory that it was seen with."""
    peak = 0
    with tempfile.TemporaryFile("w+") as out, psutil.Popen(command, env=environment, stdout=out) as process:
        while process.poll() is None:
            with suppress(psutil.Error):
                peak = max(peak, process.memory_info().rss)
            time.sleep(0.1)
        out.seek(0)
        return process.returncode, out.read(), peak


def _end(item: dict[str, Any]) -> tuple[Any, ...]:
    return item["outcome"], item["label"], item["confidence"]


def _end_alone(outcome: Outcome) -> tuple[Any, ...]:
    output = outcome.output or {}
    return outcome.error or outcome.status, output.get("label"), output.get("confidence")


def outage(rig: Rig, scratch: Path, count: int, seconds: float) -> dict[str, Any]:
    """Break the stack three times in the middle of ``count`` executions; then redrive what failed."""
    pictures(scratch / "sound", count, broken=0)
    s3, bucket = rig.client("s3"), rig.deployed.data_bucket
    paths = sorted((scratch / "sound").iterdir())
    images = pipeline.upload_images(s3, bucket, "runs/outage", paths, lambda _done, _total: None)
    before, done, begun = rig.queued(), threading.Semaphore(0), time.monotonic()
    with ExitStack() as revived:
        breaker = threading.Thread(target=_break, args=(rig, revived, done, count, seconds))
        breaker.start()
        # 0.5 lets every answer pass, so that whatever does not succeed has met an outage.
        outcomes = rig.run(images, "outage", threshold=0.5, on_outcome=lambda _: done.release())
        breaker.join()
        took = time.monotonic() - begun
        queued = rig.queued() - before
        failed = Counter(outcome.error for outcome in outcomes if outcome.status != "SUCCEEDED")
        succeeded = count - failed.total()
        redriven, again = _redrive(rig)
        return {
            "executions": count,
            "seconds": round(took, 1),
            "terminal": len(outcomes),
            "succeeded": succeeded,
            "failed": dict(failed),
            "queued": dict(queued),
            "accounted_for": succeeded + queued["review"] + queued["failure"] == count,
            "retried_by_redrive": redriven,
            "failed_after_redrive": again,
            "queued_after_redrive": dict(rig.queued() - before),
        }


def _break(rig: Rig, revived: ExitStack, done: threading.Semaphore, count: int, seconds: float) -> None:
    """After each sixth of the executions, one outage."""

    def wait_for_some() -> None:
        for _ in range(count // 6):
            done.acquire()

    wait_for_some()
    endpoint = f"{rig.state.sagemaker_url}/_scones/health"
    revived.enter_context(killed("-m emulation.sagemaker", endpoint, seconds))
    wait_for_some()
    health = f"{rig.state.lambda_urls['classify']}/health"
    revived.enter_context(killed("--name classify", health, seconds))
    wait_for_some()
    cut_off("--name classify", seconds)


def _redrive(rig: Rig) -> tuple[dict[str, int], int]:
    """Start what failed again, wait for it, and return what was started and how many failed once more."""
    client, machine = rig.client("stepfunctions"), rig.deployed.state_machine_arn
    found = queues.redrive(rig.client("sqs"), client, rig.deployed.failure_queue_url, machine)
    settled(rig)
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="FAILED")
    failed = [item for page in pages for item in page["executions"] if item["name"].startswith("redrive-")]
    return asdict(found), len(failed)


def settled(rig: Rig) -> None:
    """Wait until no execution of an image is running."""
    client, machine = rig.client("stepfunctions"), rig.deployed.state_machine_arn
    while client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
        time.sleep(0.5)


def payload(rig: Rig, scratch: Path) -> dict[str, Any]:
    """Run images of growing size; noise does not compress, so that a file's size follows from its pixels."""
    found = {}
    for name, size in PAYLOADS.items():
        for kind in ("png", "jpg"):
            path = scratch / f"{name.replace(' ', '')}.{kind}"
            path.write_bytes(noise(size, kind))
            images = pipeline.upload_images(
                rig.client("s3"), rig.deployed.data_bucket, f"runs/{path.stem}", [path], lambda _done, _total: None
            )
            (outcome,) = rig.run(images, f"payload-{path.stem}-{kind}", threshold=0.5)
            ended = outcome.error or (outcome.output or {}).get("label", outcome.status)
            found[f"{name} {kind}"] = {"bytes": path.stat().st_size, "ended": ended, "ms": round(outcome.milliseconds)}
    return found


def noise(size: int, kind: str) -> bytes:
    """Return an image file of about ``size`` bytes."""
    side = int((size / (3.0 if kind == "png" else 2.45)) ** 0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if kind == "jpg" else {"compress_level": 1}
    Picture.fromarray(pixels).save(out, {"jpg": "JPEG", "png": "PNG"}[kind], **options)
    return out.getvalue()


def _cpu_seconds() -> dict[str, float]:
    """Return the CPU seconds so far of each part of the stack, their own children among them."""
    words = {"localstack": "scones_localstack", "sagemaker": "-m emulation.sagemaker"}
    words |= {name: f"--name {name}" for name in ("serialize", "classify", "filter")}
    found = {}
    for child in psutil.Process().children():
        line = " ".join(child.cmdline())
        for name, word in words.items():
            if word in line:
                family = [child, *child.children(recursive=True)]
                found[name] = sum(sum(member.cpu_times()[:2]) for member in family)
    return found


def main() -> None:
    """Measure what was asked for and print it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.batch", description=__doc__.splitlines()[0])
    parser.add_argument(
        "what", nargs="*", choices=["batch", "outage", "payload"], default=["batch", "outage", "payload"]
    )
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each outage")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "home", Settings.from_environment().cache) as rig:
        scratch = Path(name)
        measured: dict[str, Any] = {"load_before": os.getloadavg(), "cpus": os.cpu_count()}
        if "batch" in chosen.what:
            measured["batch"] = batch(rig, scratch, chosen.images)
        if "payload" in chosen.what:
            measured["payload"] = payload(rig, scratch)
        if "outage" in chosen.what:
            measured["outage"] = outage(rig, scratch, chosen.executions, chosen.seconds)
        measured["load_after"] = os.getloadavg()
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()

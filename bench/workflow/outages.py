"""Outages in the middle of executions, and what is left of them when they are over."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.workflow.parts import killed
from bench.workflow.rig import Rig, pictures
from orchestration import executions, queues
from orchestration.executions import Image, Outcome
from scones import pipeline


@dataclass(frozen=True)
class Struck:
    """One outage: how many executions had ended and how many were under way when it began."""

    what: str
    ended: int
    under_way: int


def outage(rig: Rig, scratch: Path, count: int, seconds: float) -> dict[str, Any]:
    """Break the stack three times in the middle of ``count`` executions; then redrive what failed."""
    pictures(scratch / "sound", count, broken=0)
    s3, bucket = rig.client("s3"), rig.deployed.data_bucket
    paths = sorted((scratch / "sound").iterdir())
    images = pipeline.upload_images(s3, bucket, "runs/outage", paths, lambda _done, _total: None)
    before, begun = rig.queued(), time.monotonic()
    breaker = _Breaker(rig, images, seconds)
    breaker.start()
    # 0.5 lets every answer pass, so that whatever does not succeed has met an outage.
    outcomes = rig.run(images, "outage", threshold=0.5, on_outcome=breaker.note)
    took = time.monotonic() - begun
    breaker.join()
    queued = rig.queued() - before
    failed = Counter(outcome.error for outcome in outcomes if outcome.status != "SUCCEEDED")
    succeeded = count - failed.total()
    redriven = _redrive(rig, {str(error) for error in failed}) if failed else {"started": 0}
    return {
        "executions": count,
        "outages": [vars(struck) for struck in breaker.struck],
        "seconds": round(took, 1),
        "terminal": len(outcomes),
        "succeeded": succeeded,
        "failed": dict(failed),
        "queued": dict(queued),
        "accounted_for": succeeded + queued["review"] + queued["failure"] == count,
        "redriven": redriven,
        "queued_after_redrive": dict(rig.queued() - before),
    }


class _Breaker(threading.Thread):
    """After each quarter of the executions one outage: the endpoint dies, a Lambda dies, the way to a Lambda is cut."""

    def __init__(self, rig: Rig, images: list[Image], seconds: float) -> None:
        super().__init__(name="breaker")
        self.struck: list[Struck] = []
        self._rig = rig
        self._images = images
        self._seconds = seconds
        self._ended = 0
        self._changed = threading.Condition()

    def note(self, _outcome: Outcome) -> None:
        """Take note that an execution has ended."""
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def run(self) -> None:
        """Strike three times, each time when another quarter of the executions has ended since the last one."""
        rig, seconds = self._rig, self._seconds
        self._strike("the endpoint is killed")
        health = f"{rig.state.sagemaker_url}/_scones/health"
        rig.revived.enter_context(killed("-m emulation.sagemaker", health, seconds))
        self._strike("the Lambda classify is killed")
        health = f"{rig.state.lambda_urls['classify']}/health"
        rig.revived.enter_context(killed("--name classify", health, seconds))
        self._strike("LocalStack's network to classify is cut")
        rig.relays["classify"].cut()
        time.sleep(seconds)
        rig.relays["classify"].join()

    def _strike(self, what: str) -> None:
        quarter = (len(self.struck) + 1) * len(self._images) // 4
        with self._changed:
            self._changed.wait_for(lambda: self._ended >= quarter)
            ended = self._ended
        client, machine = self._rig.client("stepfunctions"), self._rig.deployed.state_machine_arn
        running = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        self.struck.append(Struck(what, ended, len(running)))


def _redrive(rig: Rig, errors: set[str]) -> dict[str, int]:
    """Start what failed in the outages again, wait for it, and return what was started and how it ended."""
    client, machine = rig.client("stepfunctions"), rig.deployed.state_machine_arn
    found = queues.redrive(rig.client("sqs"), client, rig.deployed.failure_queue_url, machine, errors=errors)
    outcomes = executions.wait(client, dict.fromkeys(found.started, Image("", "")))
    return {"started": len(found.started), **Counter(outcome.status for outcome in outcomes)}

"""The endpoint, a Lambda and the network to it fail in the middle of executions.

Options by environment variable, because `make bench` runs the same test with more: OUTAGE_EXECUTIONS, OUTAGE_SECONDS.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration import executions, failure_queue
from orchestration.executions import Outcome, S3Image
from tests.integration.killed_process import killed
from tests.integration.local_deployment import LocalDeployment

pytestmark = pytest.mark.integration
EXECUTIONS = int(os.environ.get("OUTAGE_EXECUTIONS", "24"))
SECONDS = float(os.environ.get("OUTAGE_SECONDS", "1.5"))


class Outages(threading.Thread):
    """After each quarter of the executions one outage: the endpoint dies, a Lambda dies, the network to it is cut."""

    def __init__(self, deployment: LocalDeployment, count: int) -> None:
        super().__init__(name="outages")
        self.log: list[tuple[str, int, int]] = []
        self._deployment = deployment
        self._count = count
        self._ended = 0
        self._changed = threading.Condition()

    def count(self, _outcome: Outcome) -> None:
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def run(self) -> None:
        state, restarted = self._deployment.state, self._deployment.restarted
        self._await_quarter("the endpoint is killed")
        restarted.enter_context(killed("-m emulation.sagemaker", f"{state.sagemaker_url}/_scones/health", SECONDS))
        self._await_quarter("the Lambda classify is killed")
        restarted.enter_context(killed("--name classify", f"{state.lambda_urls['classify']}/health", SECONDS))
        self._await_quarter("LocalStack's network to classify is cut")
        self._deployment.relays["classify"].cut()
        time.sleep(SECONDS)
        self._deployment.relays["classify"].join()

    def _await_quarter(self, outage: str) -> None:
        quarter = (len(self.log) + 1) * self._count // 4
        with self._changed:
            self._changed.wait_for(lambda: self._ended >= quarter)
            ended = self._ended
        client, machine = self._deployment.client("stepfunctions"), self._deployment.outputs.state_machine_arn
        running = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        self.log.append((outage, ended, len(running)))


def redrive(deployment: LocalDeployment, errors: set[str]) -> Counter[str]:
    """Start again what failed with these errors, and return how it ended."""
    client, machine = deployment.client("stepfunctions"), deployment.outputs.state_machine_arn
    url = deployment.outputs.failure_queue_url
    started = failure_queue.redrive(deployment.client("sqs"), client, url, machine, errors=errors).started
    outcomes = executions.wait(client, dict.fromkeys(started, S3Image("", "")))
    return Counter(outcome.status for outcome in outcomes)


def test_nothing_is_lost_in_an_outage_and_everything_succeeds_in_the_end(
    deployment: LocalDeployment, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    images = deployment.upload(tmp_path / "images", EXECUTIONS, "runs/outage")
    before, begun = deployment.queue_lengths(), time.monotonic()
    outages = Outages(deployment, EXECUTIONS)
    outages.start()
    # 0.5 accepts every prediction, so that whatever does not succeed has met an outage.
    outcomes = deployment.run(images, "outage", threshold=0.5, on_outcome=outages.count)
    seconds = time.monotonic() - begun
    outages.join()
    queued = deployment.queue_lengths() - before
    errors = Counter(str(outcome.error) for outcome in outcomes if outcome.status != "SUCCEEDED")
    succeeded = len(outcomes) - errors.total()
    redriven = redrive(deployment, set(errors)) if errors else Counter[str]()
    for name, value in {
        "outages": outages.log, "seconds": round(seconds), "succeeded": succeeded, "queued": dict(queued),
        "errors": dict(errors), "redriven": dict(redriven),
    }.items():  # fmt: skip
        record_property(name, value)
    assert len(outcomes) == EXECUTIONS
    assert len(outages.log) == 3
    assert succeeded + queued["review"] + queued["failure"] == EXECUTIONS
    assert redriven == Counter({"SUCCEEDED": errors.total()} if errors else {})
    assert not +(deployment.queue_lengths() - before)

"""SIGKILL to every container in turn while images are under way: each image ends, once, and the stack heals itself.

LocalStack's free edition keeps its state in memory alone. What its death takes along is made up for by the ledger that
the client keeps: an execution it has not seen end is started again under the same name. The other containers hold
nothing that an execution needs, and there the client does nothing but wait.
"""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.e2e.compose import Project, wait_until_healthy
from tests.e2e.conftest import TERMINAL, Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

IMAGES = 200
UNDER_WAY = 12
VICTIMS = ("serialize", "classify", "filter", "sagemaker", "localstack")
HEALTHY_SECONDS = 600.0
IMAGE_SECONDS = 1200.0


@dataclass
class Ledger:
    """What the client knows: how each image ended, and how often it had to be started."""

    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)

    def record(self, name: str, result: dict[str, Any]) -> None:
        with self.guard:
            assert name not in self.ended, f"{name} ended twice"
            self.ended[name] = result


def follow(site: Site, ledger: Ledger, number: int, value: dict[str, str]) -> None:
    """Bring one image to its end, whatever happens to LocalStack; its name makes a second start the first.

    An equal share of the images waits for each kill, so that some are under way at every one, however fast they are.
    """
    name = f"chaos-{number:03d}"
    deadline = time.monotonic() + IMAGE_SECONDS
    while ledger.killed < number * (len(VICTIMS) + 1) // IMAGES and time.monotonic() < deadline:
        time.sleep(0.1)
    client = site.localstack.client("stepfunctions", config=Config(retries={"total_max_attempts": 1}, read_timeout=10))
    arn = None
    while time.monotonic() < deadline:
        try:
            if arn is None:  # LocalStack's death takes the images along, too: they come back after the state machine
                site.client("s3").head_object(Bucket=value["s3_bucket"], Key=value["s3_key"])
                arn = site.start(value, name=name)
                ledger.started[name] += 1
            result = client.describe_execution(executionArn=arn)
            if result["status"] in TERMINAL:
                ledger.record(name, dict(result))
                return
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                arn = None  # LocalStack has forgotten it
        except (BotoCoreError, KeyError, ValueError):  # nothing answers, or the stack is not deployed yet
            pass
        time.sleep(0.3)


def hurt(project: Project, ledger: Ledger) -> dict[str, float]:
    """Kill one container after another, the next when the last is healed; return how long each took to heal."""
    healed: dict[str, float] = {}
    for number, victim in enumerate(VICTIMS):
        while len(ledger.ended) < number * IMAGES // (len(VICTIMS) + 1):
            time.sleep(0.2)
        before = project.restarts(victim)
        project.kill(victim)
        ledger.killed += 1
        started = time.monotonic()
        while project.restarts(victim) == before:
            assert time.monotonic() < started + HEALTHY_SECONDS, f"{victim} was not started again"
            time.sleep(0.1)
        if victim == "localstack":
            await_deployment(project)
        wait_until_healthy(project, HEALTHY_SECONDS)
        healed[victim] = time.monotonic() - started
    return healed


def await_deployment(project: Project) -> None:
    """Wait for `deploy` to have seen that LocalStack is new, so that its own health is not the one of before."""
    deadline = time.monotonic() + HEALTHY_SECONDS
    while project.compose("logs", "--no-log-prefix", "deploy").count("everything is deployed") < 2:
        assert time.monotonic() < deadline, "the stack was not deployed again"
        time.sleep(0.3)


def test_no_image_is_lost_or_doubled_when_each_container_is_killed_in_turn(
    project: Project | None, site: Site, samples: list[dict[str, str]]
) -> None:
    if project is None:
        pytest.skip("containers are killed from outside the network")
    site.messages("ReviewQueueUrl"), site.messages("FailureQueueUrl")
    site.mailbox.clear()
    ledger = Ledger()
    inputs = [samples[number % len(samples)] for number in range(IMAGES)]
    with ThreadPoolExecutor(UNDER_WAY + 1) as pool:
        hurting = pool.submit(hurt, project, ledger)
        for future in [pool.submit(follow, site, ledger, *item) for item in enumerate(inputs)]:
            future.result()
        healed = hurting.result()
    again = {name: count for name, count in ledger.started.items() if count > 1}
    print({"healed_s": {k: round(v, 1) for k, v in healed.items()}, "started_again": len(again)})
    print(Counter(result.get("error", result["status"]) for result in ledger.ended.values()))
    assert set(ledger.ended) == {f"chaos-{number:03d}" for number in range(IMAGES)}
    assert set(ledger.started.values()) <= {1, 2}
    assert len(again) <= UNDER_WAY
    errors = {result["error"] for result in ledger.ended.values() if result["status"] != "SUCCEEDED"}
    assert errors <= {"ThresholdConfidenceNotMet"}
    assert one_message_each(site)


def one_message_each(site: Site) -> bool:
    """Whether each execution that LocalStack still knows of has exactly the messages that its end asks for."""
    machine = site.outputs()["StateMachineArn"]
    pages = site.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
    known = [one for page in pages for one in page["executions"] if one["name"].startswith("chaos-")]
    assert known
    assert {one["status"] for one in known} <= TERMINAL
    sent = Counter(
        message["execution_arn"] for queue in ("ReviewQueueUrl", "FailureQueueUrl") for message in site.messages(queue)
    )
    return sent == Counter(one["executionArn"] for one in known if one["status"] == "FAILED")

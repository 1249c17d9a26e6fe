"""A local stack to measure on, with the shipped model in service, and the images that are sent through it."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.workflow.network import Relay, RelayedStack
from core.waiting import WaiterConfig
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from emulation.session import OfflineSession
from orchestration import executions, queues
from orchestration.executions import Image, Outcome
from scones import pipeline
from scones.settings import Settings
from training.data.staging import encode_png
from training.data.synthetic import SyntheticSource

# The parts of a stack by what stands in their command lines.
PARTS = {
    "LocalStack": "scones_localstack",
    "SageMaker emulator": "-m emulation.sagemaker",
    "serialize": "--name serialize",
    "classify": "--name classify",
    "filter": "--name filter",
}


@dataclass(frozen=True)
class Rig:
    """A stack that runs, with the shipped model in service.

    ``relays`` are on the way to the Lambdas, where there are any. ``revived`` ends with the stack: it holds what was
    started in the place of parts that were killed.
    """

    state: EnvironmentState
    session: OfflineSession
    deployed: pipeline.Deployed
    settings: Settings
    relays: dict[str, Relay]
    revived: ExitStack

    def client(self, service: str) -> Any:
        """Return a client of the stack's."""
        return self.session.client(service)

    def queued(self) -> Counter[str]:
        """Return how many messages each queue holds."""
        urls = {"review": self.deployed.review_queue_url, "failure": self.deployed.failure_queue_url}
        return Counter({name: queues.length(self.client("sqs"), url) for name, url in urls.items()})

    def faults(self, **fault: Any) -> None:
        """Let the endpoint fail as described; without a description, no longer."""
        url = f"{self.state.sagemaker_url}/_scones/faults"
        answer = httpx.put(url, json={"endpoint": None, **fault}) if fault else httpx.delete(url)
        answer.raise_for_status()

    def run(self, images: list[Image], name: str, concurrency: int = 16, **more: Any) -> list[Outcome]:
        """Run images one by one, each as its own execution."""
        machine, client = self.deployed.state_machine_arn, self.client("stepfunctions")
        waiter = WaiterConfig(timeout_seconds=900, poll_seconds=0.1)
        return executions.run(client, machine, images, run_name=name, concurrency=concurrency, waiter=waiter, **more)

    def settled(self) -> None:
        """Wait until no execution of an image is running."""
        client, machine = self.client("stepfunctions"), self.deployed.state_machine_arn
        while client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
            time.sleep(0.5)


@contextmanager
def running(home: Path, cache: Path, *, relayed: bool = False) -> Iterator[Rig]:
    """Start a stack, deploy, and put the shipped model in service; ``relayed``, its network can be cut."""
    settings = Settings(home=home, cache=cache)
    stack = (RelayedStack if relayed else LocalEnvironment)(home, cache, settings.services, faults=True)
    with stack as state, ExitStack() as revived:
        session = OfflineSession(state.localstack_url, state.sagemaker_url)
        pipeline.deploy_stack(session, settings, {})
        deployed = pipeline.deployed(session, settings)
        pipeline.deploy_endpoint(session, deployed, image_uri="scones/inference:local", instance_type="ml.m5.xlarge")
        yield Rig(state, session, deployed, settings, getattr(stack, "relays", {}), revived)


def pictures(folder: Path, count: int, broken: float) -> None:
    """Write ``count`` rendered images, a share of them broken in one way or another."""
    folder.mkdir(parents=True)
    every = round(1 / broken) if broken else count + 1
    _, rendered = SyntheticSource(train=count, test=0).images()
    for number, picture in enumerate(rendered):
        content = encode_png(picture)
        if number % every == every - 1:
            bad = (b"", b"not a picture\n", content[: len(content) // 2])
            content = bad[number // every % len(bad)]
        (folder / f"{number:06d}.png").write_bytes(content)


def families() -> dict[str, list[psutil.Process]]:
    """Return the processes of each part of the stack that this process started, their own children among them."""
    found: dict[str, list[psutil.Process]] = {}
    for child in psutil.Process().children():
        line = " ".join(child.cmdline())
        for name, word in PARTS.items():
            if word in line:
                found[name] = [child, *child.children(recursive=True)]
    return found


def cpu_seconds() -> dict[str, float]:
    """Return the CPU seconds so far of each part of the stack."""
    return {name: sum(sum(one.cpu_times()[:2]) for one in family) for name, family in families().items()}

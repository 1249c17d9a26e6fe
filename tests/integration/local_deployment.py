"""A local environment with the stack deployed and the shipped model in service, and images to send through it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from core import queues
from core.defaults import ENDPOINT_INSTANCE_TYPE
from core.waiting import WaiterConfig
from emulation.processes.components import EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState
from emulation.session import LocalSession
from orchestration import executions
from orchestration.executions import Outcome, S3Image
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones.image_inputs import upload_images
from scones.model_serving import deploy_endpoint
from scones.settings import Settings
from scones.stack_revisions import StackRevisions
from tests.cli_runner import User
from tests.integration.relay import Relay, RelayedEnvironment
from training.data.staging import encode_png
from training.data.synthetic import SyntheticSource


@dataclass(frozen=True)
class LocalDeployment:
    """A running stack. ``relays`` are between LocalStack and the Lambdas, by function; ``user`` has its home.

    ``restarted`` closes with the environment: it holds what was started in place of processes that were killed.
    """

    state: EnvironmentState
    session: LocalSession
    outputs: StackOutputs
    settings: Settings
    user: User
    relays: dict[str, Relay]
    restarted: ExitStack

    def client(self, service: str) -> Any:
        """Return a boto3 client of the environment."""
        return self.session.client(service)

    def queue_lengths(self) -> Counter[str]:
        """Return how many messages each queue holds."""
        urls = {"review": self.outputs.review_queue_url, "failure": self.outputs.failure_queue_url}
        return Counter({name: queues.length(self.client("sqs"), url) for name, url in urls.items()})

    def inject_faults(self, **fault: Any) -> None:
        """Make the endpoint fail as described; without a description, no longer."""
        url = f"{self.state.sagemaker_url}/_scones/faults"
        response = httpx.put(url, json={"endpoint": None, **fault}) if fault else httpx.delete(url)
        response.raise_for_status()

    def upload(self, folder: Path, count: int, prefix: str) -> list[S3Image]:
        """Render ``count`` images into ``folder`` and upload them."""
        write_images(folder, count)
        s3, bucket = self.client("s3"), self.outputs.data_bucket
        return upload_images(s3, bucket, prefix, sorted(folder.iterdir()), lambda _done, _total: None)

    def run(self, images: list[S3Image], name: str, concurrency: int = 16, **options: Any) -> list[Outcome]:
        """Run images one by one, each as its own execution."""
        machine, client = self.outputs.state_machine_arn, self.client("stepfunctions")
        waiter = WaiterConfig(timeout_seconds=900, poll_seconds=0.1)
        return executions.run(client, machine, images, run_name=name, concurrency=concurrency, waiter=waiter, **options)


@contextmanager
def running(home: Path, cache: Path) -> Iterator[LocalDeployment]:
    """Start an environment whose network can be cut and whose endpoint can be made to fail, and deploy."""
    settings = Settings(home=home, cache=cache)
    environment = RelayedEnvironment(EnvironmentOptions(home, cache, settings.services, faults=True))
    someone = User(home, {"SCONES_CACHE": str(cache)})
    with environment as state, ExitStack() as restarted, someone.with_server() as user:
        session = LocalSession(state.localstack_url, state.sagemaker_url)
        StackRevisions(session, settings).deploy({})
        outputs = read_stack_outputs(session.client("cloudformation"), settings.stack)
        deploy_endpoint(session, outputs, instance_type=ENDPOINT_INSTANCE_TYPE)
        yield LocalDeployment(state, session, outputs, settings, user, environment.relays, restarted)


def write_images(folder: Path, count: int, broken: float = 0.0) -> None:
    """Write ``count`` rendered images, a share of them broken: empty, no image, or cut off."""
    folder.mkdir(parents=True)
    every = round(1 / broken) if broken else count + 1
    _, rendered = SyntheticSource(train=count, test=0).images()
    for number, image in enumerate(rendered):
        content = encode_png(image)
        if number % every == every - 1:
            unreadable = (b"", b"not an image\n", content[: len(content) // 2])
            content = unreadable[number // every % len(unreadable)]
        (folder / f"{number:06d}.png").write_bytes(content)

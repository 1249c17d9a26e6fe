"""Stacks of plain processes for the tests that drive the real LocalStack."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from emulation.processes.components import EnvironmentOptions
from emulation.processes.local_environment import LocalEnvironment
from emulation.session import LocalSession
from orchestration import bootstrap, package, stack
from tests.integration.local_deployment import LocalDeployment, running

SERVICES = Path(__file__).parents[2] / "services"
SCRIPTED = '''
"""Plays the service that it is installed as: raises what the key tells it to, else answers as the contract says.

Of incoming/ the real serialize reads the object: its key comes out of an event.
"""

import importlib.util
import os
import pathlib
import sys

REAL = "SERIALIZE"

ANSWERS = {
    "serialize": {"image_data": "aW1hZ2U=", "content_type": "image/png"},
    "classify": {"inferences": [0.01, 0.99], "probably_neither": False},
    "filter": {"inferences": [0.01, 0.99], "label": "motorcycle", "confidence": 0.99, "threshold": 0.94},
}


def handler(event, context):
    service = pathlib.Path(__file__).parent.name
    key = event["s3_key"] if isinstance(event, dict) else "serialize,InvalidInput,always"
    who, error, times = (key.rpartition("/")[2].split(",") + ["", "", ""])[:3]
    if who == service and (times == "always" or _count(key) <= int(times)):
        raise type(error, (Exception,), {})(f"scripted for {key}")
    if service == "serialize" and key.startswith("incoming/"):
        return _real().handler(event, context)
    return {"s3_bucket": event["s3_bucket"], "s3_key": key, **ANSWERS[service]}


def _real():
    if "real" not in sys.modules:
        sys.path.insert(0, REAL)
        spec = importlib.util.spec_from_file_location("real", REAL + "/handler.py")
        sys.modules["real"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["real"])
    return sys.modules["real"]


def _count(key):
    tally = pathlib.Path(__file__).parent / key.replace(",", "-")
    with tally.open("a") as file:
        file.write(".")
    return tally.stat().st_size
'''


@dataclass(frozen=True)
class Running:
    """A deployed stack and the session that reaches it."""

    session: LocalSession
    outputs: dict[str, str]
    mailbox: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.session.client(service)


@pytest.fixture(scope="session")
def cache() -> Path:
    """LocalStack's private environment is made once and shared by all runs."""
    return Path(os.environ.get("SCONES_CACHE") or platformdirs.user_cache_dir("scones"))


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Running]:
    """The real LocalStack and the real state machine around three Lambdas that do as the image's key says."""
    services = tmp_path_factory.mktemp("services")
    for name in ("serialize", "classify", "filter"):
        (services / name).mkdir()
        (services / name / "handler.py").write_text(SCRIPTED.replace("SERIALIZE", str(SERVICES / "serialize")))
    with LocalEnvironment(
        EnvironmentOptions(tmp_path_factory.mktemp("home"), cache, services, region="us-east-1", stub_model=True)
    ) as state:
        session = LocalSession(state.localstack_url, state.sagemaker_url)
        parameters = {"EndpointName": "none", **stack.LOCAL_PARAMETERS}
        s3 = session.client("s3")
        template = {"TemplateURL": package.upload(s3, bootstrap.local_artifact_bucket(s3))}
        deployed = stack.deploy(session.client("cloudformation"), "scripted", template, parameters, poll=0.1)
        yield Running(session, deployed.outputs)


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[LocalDeployment]:
    """The local stack with our own Lambdas, the shipped model in service and an endpoint that can be made to fail."""
    with running(tmp_path_factory.mktemp("deployment"), cache) as running_deployment:
        yield running_deployment

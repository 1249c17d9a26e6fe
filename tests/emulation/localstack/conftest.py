"""One local environment for the tests that only add to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulation.processes.components import EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from emulation.session import LocalSession
from tests.emulation.lambda_hosts import install_probe


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[EnvironmentState]:
    services = tmp_path_factory.mktemp("services")
    for name in ("probe", "mortal"):
        install_probe(services / name)
    with LocalEnvironment(
        EnvironmentOptions(tmp_path_factory.mktemp("home"), cache, services, stub_model=True, environment={"MARK": "m"})
    ) as state:
        yield state


@pytest.fixture(scope="session")
def session(stack: EnvironmentState) -> LocalSession:
    return LocalSession(stack.localstack_url, stack.sagemaker_url)

"""A local environment in the background is found and stopped from other processes by its state directory."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from emulation.processes import background
from emulation.processes.components import EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState, EnvironmentStatus
from tests.emulation.lambda_hosts import LambdaEndpoint, install_probe
from tests.emulation.process_trees import everything, gone

ROOT = Path(__file__).resolve().parents[3]

STARTER = """
import sys
from pathlib import Path
from emulation.processes.components import EnvironmentOptions
from emulation.processes.background import start_background
start_background(EnvironmentOptions(*map(Path, sys.argv[1:])))
"""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("services")
    install_probe(folder / "probe")
    return folder


def test_nothing_runs_in_an_empty_home(tmp_path: Path) -> None:
    assert background.status(tmp_path) == EnvironmentStatus(running=False, state=None, health={})
    assert background.stop(tmp_path) is False


def _variable(state: EnvironmentState, name: str) -> Any:
    return LambdaEndpoint(state.lambda_urls["probe"]).do("variable", variable=name)["now"]


@pytest.mark.integration
def test_a_detached_stack_is_found_and_stopped_from_anywhere(services: Path, cache: Path, tmp_path: Path) -> None:
    state = background.start_background(
        EnvironmentOptions(tmp_path, cache, services, stub_model=True, environment={"THRESHOLD": "0.7"})
    )
    assert state.pid != os.getpid()
    assert psutil.Process(state.pid).ppid() != os.getpid()
    assert os.getsid(state.pid) != os.getsid(0)
    assert background.status(tmp_path).state == state
    assert _variable(state, "THRESHOLD") == "0.7"
    processes = [psutil.Process(state.pid), *everything(state)]
    assert background.stop(tmp_path) is True
    assert gone(processes)
    assert background.status(tmp_path).running is False
    assert background.stop(tmp_path) is False


@pytest.mark.integration
def test_a_detached_environment_outlives_its_starter_but_not_a_starter_that_dies_too_early(
    services: Path, cache: Path, tmp_path: Path
) -> None:
    arguments = [str(tmp_path), str(cache), str(services)]
    subprocess.run([sys.executable, "-c", STARTER, *arguments], check=True, cwd=ROOT)
    status = background.status(tmp_path)
    assert status.running
    assert all(status.health.values())
    assert background.stop(tmp_path)

    with subprocess.Popen([sys.executable, "-c", STARTER, *arguments], cwd=ROOT) as starter:
        while not (tmp_path / "run" / "localstack").exists():
            time.sleep(0.01)
        child = psutil.Process(int((tmp_path / "environment.lock").read_text()))
        processes = [child, *child.children(recursive=True)]
        starter.kill()
    assert gone(processes)
    assert not background.status(tmp_path).running

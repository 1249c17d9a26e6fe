"""The local environment starts completely or not at all, says where it is, and leaves no process behind."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from emulation.errors import (
    AlreadyRunning,
    CacheUnusable,
    ComponentExited,
    PortInUse,
    ServicesMissing,
    StateDirectoryUnusable,
)
from emulation.processes import background
from emulation.processes.components import EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from emulation.processes.ports import HOST
from emulation.session import SAGEMAKER_ENDPOINT_VARIABLES, LocalSession
from tests.emulation.lambda_hosts import LambdaEndpoint, install_probe
from tests.emulation.process_trees import everything, gone

ROOT = Path(__file__).resolve().parents[3]
FOREGROUND = """
import json, sys
from pathlib import Path
from emulation.processes.components import EnvironmentOptions
from emulation.processes.local_environment import LocalEnvironment
stack = LocalEnvironment(EnvironmentOptions(*map(Path, sys.argv[1:4]), stub_model=True))
state = stack.start()
print(state.to_json().replace("\\n", ""), flush=True)
stack.supervise()
"""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("services")
    install_probe(folder / "probe")
    return folder


@pytest.fixture(scope="module")
def running(services: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnvironmentState]:
    """A local environment that the tests of this module share and leave running."""
    with LocalEnvironment(
        EnvironmentOptions(tmp_path_factory.mktemp("home"), cache, services, stub_model=True)
    ) as state:
        yield state


@pytest.fixture
def foreground(services: Path, cache: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has started a stack and supervises it."""
    arguments = [str(tmp_path / "home"), str(cache), str(services)]
    with subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        yield process
        process.kill()


def _state(process: "subprocess.Popen[str]") -> EnvironmentState:
    assert process.stdout is not None
    return EnvironmentState.from_json(process.stdout.readline())


def test_services_that_are_not_there_are_named_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ServicesMissing, match="nowhere"):
        LocalEnvironment(EnvironmentOptions(tmp_path / "home", tmp_path / "cache", tmp_path / "nowhere")).start()
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, services: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StateDirectoryUnusable, match=r"/home cannot be used as the state directory: .* SCONES_HOME"):
        LocalEnvironment(EnvironmentOptions(tmp_path / "home", tmp_path / "cache", services)).start()


def test_a_cache_that_cannot_be_written_is_not_called_the_state_directory(tmp_path: Path, services: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(CacheUnusable, match="/cache/ports in the cache cannot be written: Not a directory"):
        LocalEnvironment(EnvironmentOptions(tmp_path / "home", tmp_path / "cache", services)).start()


def test_stopping_a_stack_that_was_never_started_is_fine(tmp_path: Path, services: Path) -> None:
    LocalEnvironment(EnvironmentOptions(tmp_path / "home", tmp_path / "cache", services)).stop()


@pytest.mark.integration
def test_a_running_stack_says_where_it_is_and_that_it_is_healthy(running: EnvironmentState) -> None:
    status = background.status(running.home)
    assert status.state == running
    assert status.health == {"localstack": True, "sagemaker": True, "probe": True}
    assert {log.name for log in running.logs.iterdir()} == {"localstack.log", "sagemaker.log", "probe.log"}
    session = LocalSession(running.localstack_url, running.sagemaker_url)
    assert session.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert session.client("sagemaker").list_endpoints()["Endpoints"] == []


@pytest.mark.integration
def test_localstack_listens_on_the_loopback_interface_alone(running: EnvironmentState) -> None:
    port = int(running.localstack_url.rpartition(":")[2])
    listening = [
        connection.laddr
        for process in psutil.Process(running.pid).children(recursive=True)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert port in {address.port for address in listening}


@pytest.mark.integration
def test_lambdas_and_emulator_see_the_stack_and_no_account_of_the_users(
    monkeypatch: pytest.MonkeyPatch, services: Path, cache: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    variables = {"THRESHOLD": "0.7"}
    with LocalEnvironment(
        EnvironmentOptions(tmp_path, cache, services, region="eu-west-1", environment=variables, stub_model=True)
    ) as state:
        seen = {
            name: _variable(state, name) for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "THRESHOLD")
        }
        assert seen == {"AWS_PROFILE": None, "AWS_SESSION_TOKEN": None, "AWS_REGION": "eu-west-1", "THRESHOLD": "0.7"}
        assert _variable(state, "AWS_ENDPOINT_URL") == state.localstack_url
        for variable in SAGEMAKER_ENDPOINT_VARIABLES.values():
            assert _variable(state, variable) == state.sagemaker_url


def _variable(state: EnvironmentState, name: str) -> Any:
    return LambdaEndpoint(state.lambda_urls["probe"]).do("variable", variable=name)["now"]


@pytest.mark.integration
def test_a_second_start_in_the_same_home_says_what_is_running(
    running: EnvironmentState, services: Path, cache: Path
) -> None:
    with pytest.raises(AlreadyRunning, match=running.localstack_url) as caught:
        LocalEnvironment(EnvironmentOptions(running.home, cache, services)).start()
    assert caught.value.state == running
    with pytest.raises(AlreadyRunning, match=running.localstack_url):
        background.start_background(EnvironmentOptions(running.home, cache, services))
    assert all(background.status(running.home).health.values())


@pytest.mark.integration
def test_an_occupied_port_that_was_asked_for_stops_the_start_and_leaves_nothing(
    services: Path, cache: Path, tmp_path: Path
) -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        for ports in ({"localstack_port": port}, {"sagemaker_port": port}):
            with pytest.raises(PortInUse, match=str(port)):
                LocalEnvironment(EnvironmentOptions(tmp_path, cache, services, **ports)).start()
            with pytest.raises(PortInUse, match=str(port)):
                background.start_background(EnvironmentOptions(tmp_path, cache, services, **ports))
    assert not background.status(tmp_path).running
    assert not (tmp_path / "run").exists()


@pytest.mark.integration
def test_two_stacks_side_by_side_do_not_share_anything(
    running: EnvironmentState, services: Path, cache: Path, tmp_path: Path
) -> None:
    with LocalEnvironment(EnvironmentOptions(tmp_path, cache, services, stub_model=True)) as other:
        urls = {other.localstack_url, other.sagemaker_url, *other.lambda_urls.values()}
        assert urls.isdisjoint({running.localstack_url, running.sagemaker_url, *running.lambda_urls.values()})
        LocalSession(other.localstack_url, other.sagemaker_url).client("s3").create_bucket(Bucket="only-here")
        buckets = LocalSession(running.localstack_url, running.sagemaker_url).client("s3").list_buckets()["Buckets"]
        assert "only-here" not in [bucket["Name"] for bucket in buckets]


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_supervised_stack_that_is_told_to_stop_leaves_nothing(
    foreground: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    state = _state(foreground)
    processes = everything(state)
    foreground.send_signal(number)
    assert foreground.wait(600) == 0
    assert gone(processes)
    assert not background.status(state.home).running
    assert sorted(path.name for path in state.home.iterdir()) == ["environment.lock", "logs"]


@pytest.mark.integration
def test_a_stack_whose_process_is_killed_leaves_nothing_and_the_next_one_works(
    foreground: "subprocess.Popen[str]", services: Path, cache: Path
) -> None:
    state = _state(foreground)
    processes = everything(state)
    foreground.kill()
    foreground.wait(600)
    assert not background.status(state.home).running
    port = int(state.localstack_url.rpartition(":")[2])
    with LocalEnvironment(
        EnvironmentOptions(state.home, cache, services, localstack_port=port, stub_model=True)
    ) as again:
        assert again.localstack_url == state.localstack_url
        assert gone(processes)


@pytest.mark.integration
def test_a_stack_that_is_killed_while_it_starts_leaves_nothing(foreground: "subprocess.Popen[str]") -> None:
    process = psutil.Process(foreground.pid)
    while len(process.children()) < 3:
        time.sleep(0.01)
    processes = process.children(recursive=True)
    foreground.kill()
    foreground.wait(600)
    assert gone(processes)


@pytest.mark.integration
def test_a_part_that_dies_takes_the_stack_down_with_its_last_words(foreground: "subprocess.Popen[str]") -> None:
    state = _state(foreground)
    processes = everything(state)
    emulator = next(process for process in processes if "emulation.sagemaker" in process.cmdline())
    emulator.kill()
    assert foreground.wait(600) == 1
    assert gone(processes)


@pytest.mark.integration
def test_a_part_that_does_not_come_up_is_named_with_the_end_of_its_log(
    monkeypatch: pytest.MonkeyPatch, services: Path, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(ComponentExited, match="localstack exited unexpectedly") as caught:
        LocalEnvironment(
            EnvironmentOptions(
                tmp_path, cache, services, environment={"RUNTIME_COMPONENTS": "nonsense"}, stub_model=True
            )
        ).start()
    assert "nonsense" in str(caught.value)
    assert str(tmp_path / "logs" / "localstack.log") in str(caught.value)
    assert not background.status(tmp_path).running
    assert psutil.Process().children(recursive=True) == [] or not (tmp_path / "run").exists()

"""Commands end right within AWS's rate limits, with new roles, and while credentials expire."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from tests.moto.accounts import Account, account
from tests.moto.faults import CREDENTIAL_PROCESS, EveryTwentieth, ExpiredTokens, NewRoles, TimedExecutions
from tests.moto.proxy import Call, Fault

pytestmark = pytest.mark.moto
IMAGES = int(os.environ.get("SCONES_TEST_IMAGES", "400"))
"""1,500 take nine minutes, in which the client waits for the limits."""
EXECUTIONS = TimedExecutions()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a stack, deployed while 5 % of the calls are throttled."""
    with account(tmp_path_factory.mktemp("account"), EXECUTIONS.stubs()) as aws:
        throttling = EveryTwentieth()
        aws.proxy.faults[:] = [throttling]
        aws.deploy()
        assert throttling.throttled
        yield aws


@pytest.fixture
def aws(deployed: Account) -> Iterator[Account]:
    """The account without faults."""
    deployed.proxy.faults[:] = []
    yield deployed
    deployed.proxy.faults[:] = []


def test_an_endpoint_is_created_while_calls_are_throttled_and_its_roles_are_new(aws: Account) -> None:
    throttling, roles = EveryTwentieth(), NewRoles()
    aws.proxy.faults[:] = [throttling, roles]
    deployed = aws.json("endpoint", "deploy", "--yes", "--ttl", "4h", "--max", "2")
    assert deployed["status"] == "InService"
    assert roles.refused == dict.fromkeys(NewRoles.MESSAGES, 2)
    assert throttling.throttled


def images(folder: Path) -> Path:
    folder.mkdir()
    for number in range(IMAGES):
        Image.fromarray(np.full((2, 2, 3), number % 256, np.uint8)).save(folder / f"{number}.png")
    return folder


def test_images_end_within_the_rate_limits_while_credentials_are_renewed(aws: Account, tmp_path: Path) -> None:
    script = tmp_path / "credentials"
    script.write_text(CREDENTIAL_PROCESS)
    script.chmod(0o755)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {script}\n")
    inherited = {key: value for key, value in aws.user.environment.items() if "_KEY" not in key}
    user = replace(aws.user, environment=inherited | {"AWS_CONFIG_FILE": str(tmp_path / "config")})
    throttling, tokens = EveryTwentieth(), ExpiredTokens(seconds=20)
    aws.proxy.faults[:] = [throttling, tokens]
    folder = images(tmp_path / "images")
    done = replace(aws, user=user).scones("run", str(folder), "--concurrency", "64", "--json", code=0)
    assert done.stdout.count('"SUCCEEDED"') == IMAGES
    assert EXECUTIONS.calls["describe_execution"] < 2 * IMAGES
    assert throttling.throttled.total() > IMAGES / 20
    assert len(tokens.keys) > 2


def test_an_expired_token_ends_a_command_in_one_line_and_the_next_one_continues(aws: Account) -> None:
    issued = len(aws.proxy.calls)

    def expired(call: Call) -> ClientError | None:
        late = len(aws.proxy.calls) > issued + 8
        return ExpiredTokens(0)(replace(call, access_key="0")) if late else None

    aws.proxy.faults[:] = [expired]
    failed = aws.scones("deploy", "--yes", "--threshold", "0.9", code=1)
    (line,) = [line for line in failed.stderr.splitlines() if line.startswith("error")]
    assert "The security token included in the request is expired" in line
    aws.proxy.faults[:] = []
    assert aws.json("deploy", "--yes", "--threshold", "0.9")["outputs"]["Threshold"] == "0.9"


@pytest.mark.parametrize("operation", ["CreateSchedule", "CreateModel", "CreateEndpoint", "UpdateSchedule"])
def test_a_terminated_command_leaves_no_endpoint_without_its_schedule(operation: str, aws: Account) -> None:
    aws.user.run("endpoint", "delete", "--yes")
    command = aws.user.start("endpoint", "deploy", "--yes", "--ttl", "4h", "--max", "2")

    def terminate(call: Call) -> None:
        if call.operation == operation:
            os.kill(command.pid, signal.SIGTERM)

    fault: Fault = terminate
    aws.proxy.faults[:] = [fault]
    command.communicate(timeout=600)
    assert command.returncode
    endpoints = aws.client("sagemaker").list_endpoints()["Endpoints"]
    schedules = aws.client("scheduler").list_schedules()["Schedules"]
    assert len(endpoints) <= len(schedules), f"terminated at {operation}"

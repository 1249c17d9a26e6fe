"""Users' own functions in the local environment: zip archives, with logs where AWS has them, and container images."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from emulation.processes.components import EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from emulation.session import LocalSession
from tests.emulation.lambda_hosts import install_probe, lambda_host

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::000000000000:role/lambda"
SOURCE = """
import json
import os
import boto3
import helper


def handler(event, context):
    print("called with", json.dumps(event))
    if "fail" in event:
        raise helper.Refused("no")
    buckets = [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
    return {"statusCode": 200, "body": {"mark": os.environ.get("MARK"), "version": VERSION, "buckets": buckets}}
"""


def archive(version: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("index.py", f"VERSION = {version}\n{SOURCE}")
        file.writestr("helper.py", "class Refused(Exception):\n    pass\n")
    return packed.getvalue()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[EnvironmentState]:
    services = tmp_path_factory.mktemp("services")
    install_probe(services / "probe")
    own = install_probe(tmp_path_factory.mktemp("own") / "mine")
    with lambda_host(own, own / "log") as (container, _):
        listed = {"SCONES_LAMBDA_CONTAINERS": f"mine={container.url}"}
        home = tmp_path_factory.mktemp("home")
        with LocalEnvironment(EnvironmentOptions(home, cache, services, stub_model=True, environment=listed)) as state:
            yield state


@pytest.fixture(scope="module")
def session(running: EnvironmentState) -> LocalSession:
    session = LocalSession(running.localstack_url, running.sagemaker_url)
    session.client("s3").create_bucket(Bucket="seen-by-the-function")
    return session


@pytest.fixture(scope="module")
def functions(session: LocalSession) -> Any:
    client = session.client("lambda")
    create(client, "zipped")
    return client


def create(client: Any, name: str, runtime: str = "python3.12", **more: Any) -> None:
    client.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler="index.handler",
        Role=ROLE,
        Code={"ZipFile": archive(1)},
        Environment={"Variables": {"MARK": "m"}},
        Timeout=20,
        **more,
    )
    if runtime.startswith("python"):
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def invoke(functions: Any, event: dict[str, Any]) -> tuple[Any, Any, str]:
    response = functions.invoke(FunctionName="zipped", Payload=json.dumps(event), LogType="Tail")
    log = base64.b64decode(response["LogResult"]).decode()
    return json.loads(response["Payload"].read()), response, log


def test_a_function_runs_with_its_modules_its_variables_and_the_local_aws(functions: Any) -> None:
    payload, response, _ = invoke(functions, {})
    assert "FunctionError" not in response
    assert (payload["body"]["mark"], payload["body"]["version"]) == ("m", 1)
    assert "seen-by-the-function" in payload["body"]["buckets"]


def test_what_a_function_prints_is_in_the_tail_and_in_cloudwatch(functions: Any, session: LocalSession) -> None:
    _, response, log = invoke(functions, {"mark": "look-for-me"})
    lines = log.splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert lines[1] == 'called with {"mark": "look-for-me"}'
    assert response["ResponseMetadata"]["RequestId"] in lines[0]
    logs, deadline = session.client("logs"), time.monotonic() + 600
    messages: list[str] = []
    while time.monotonic() < deadline and not any("look-for-me" in message for message in messages):
        with suppress(logs.exceptions.ResourceNotFoundException):  # the log group is made with the first line
            events = logs.filter_log_events(logGroupName="/aws/lambda/zipped")["events"]
            messages = [event["message"] for event in events]
        time.sleep(0.3)
    assert any("look-for-me" in message for message in messages)


def test_an_error_has_the_request_id_of_the_response(functions: Any) -> None:
    payload, response, log = invoke(functions, {"fail": True})
    assert (response["FunctionError"], payload["errorType"]) == ("Unhandled", "Refused")
    assert payload["requestId"] == response["ResponseMetadata"]["RequestId"]
    assert "[ERROR] Refused: no" in log


def test_new_code_replaces_the_old(functions: Any) -> None:
    functions.update_function_code(FunctionName="zipped", ZipFile=archive(2))
    functions.get_waiter("function_updated_v2").wait(FunctionName="zipped", WaiterConfig={"Delay": 1})
    assert invoke(functions, {})[0]["body"]["version"] == 2


def image(functions: Any, name: str) -> dict[str, Any]:
    code = {"ImageUri": f"000000000000.dkr.ecr.us-east-1.amazonaws.com/team/{name}:1"}
    functions.create_function(FunctionName=name, PackageType="Image", Role=ROLE, Code=code)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        configuration: dict[str, Any] = functions.get_function_configuration(FunctionName=name)
        if configuration["State"] != "Pending":
            return configuration
        time.sleep(0.2)
    raise TimeoutError


def test_an_image_runs_in_the_container_that_its_user_has_listed(functions: Any) -> None:
    assert image(functions, "mine")["State"] == "Active"
    response = functions.invoke(FunctionName="mine", Payload=b'{"hello": 1}')
    assert json.loads(response["Payload"].read()) == {"got": {"hello": 1}}


def test_an_image_without_a_container_is_refused_with_the_remedy(functions: Any) -> None:
    configuration = image(functions, "other")
    assert configuration["State"] == "Failed"
    assert "add other=URL to SCONES_LAMBDA_CONTAINERS, which lists probe, mine" in configuration["StateReason"]


def test_another_runtime_than_pythons_is_refused_by_name(functions: Any) -> None:
    create(functions, "script", "nodejs22.x")
    deadline = time.monotonic() + 20
    state: dict[str, str] = {}
    while time.monotonic() < deadline and state.get("State") != "Failed":
        state = functions.get_function_configuration(FunctionName="script")
        time.sleep(0.2)
    assert "script has the runtime nodejs22.x: only Python's are emulated" in state["StateReason"]

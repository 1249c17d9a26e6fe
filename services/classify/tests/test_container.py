"""The image as Lambda runs it: built, started under the Runtime Interface Emulator, invoked over HTTP."""

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from endpoint_stub import Answer, EndpointStub, failure, running

BASE = "public.ecr.aws/lambda/python:3.13"
DOCKER = shutil.which("docker") or "docker"
Invoke = Callable[[object], dict[str, Any]]
IMAGE = bytes(range(256)) * 3


def docker(*arguments: str) -> str:
    return subprocess.run([DOCKER, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def logs(container: str) -> list[str]:
    command = [DOCKER, "logs", container]
    both = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return both.stdout.splitlines()


def engine_answers() -> bool:
    try:
        docker("version")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


pytestmark = [pytest.mark.docker, pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers")]


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    tag = f"scones-classify-test:{uuid4().hex}"
    docker("build", "--tag", tag, str(Path(__file__).parents[1]))
    yield tag
    docker("image", "rm", "--force", tag)


@pytest.fixture(scope="module")
def outside() -> Iterator[EndpointStub]:
    """Return an endpoint that containers reach through their gateway."""
    with running("0.0.0.0") as stub:  # noqa: S104
        yield stub


@pytest.fixture(scope="module")
def container(image: str, outside: EndpointStub) -> Iterator[str]:
    environment = {
        "AWS_ENDPOINT_URL": f"http://gateway:{outside.server_port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "ENDPOINT_NAME": "vehicles",
    }
    options = [f"--env={name}={value}" for name, value in environment.items()]
    options += ["--add-host=gateway:host-gateway", "--memory=512m", "--memory-swap=512m", "--read-only"]
    container = docker("run", "--detach", "--publish", "127.0.0.1::8080", *options, image)
    yield container
    docker("rm", "--force", container)


@pytest.fixture(scope="module")
def invoke(container: str) -> Invoke:
    return emulator_of(container)


def emulator_of(container: str) -> Invoke:
    url = f"http://{docker('port', container, '8080/tcp').splitlines()[0]}"
    wait_for_emulator(url)

    def call(event: object) -> dict[str, Any]:
        body = json.dumps(event).encode()
        with urllib.request.urlopen(f"{url}/2015-03-31/functions/function/invocations", body, timeout=600) as response:  # noqa: S310
            result: dict[str, Any] = json.load(response)
        return result

    return call


def wait_for_emulator(url: str) -> None:
    deadline = time.monotonic() + 600
    while True:
        try:
            urllib.request.urlopen(url, timeout=600).close()  # noqa: S310
        except urllib.error.HTTPError as answer:  # it knows no such path, so it is there
            answer.close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"no emulator at {url}"
            time.sleep(0.05)


@pytest.fixture
def endpoint(outside: EndpointStub) -> EndpointStub:
    outside.reset()
    return outside


def event(image: bytes = IMAGE, **fields: object) -> dict[str, object]:
    image_data = base64.b64encode(image).decode()
    return {"s3_bucket": "b", "s3_key": "a\nb.png", "image_data": image_data, "content_type": "image/png", **fields}


def test_an_image_goes_to_the_endpoint_and_its_inferences_come_back(invoke: Invoke, endpoint: EndpointStub) -> None:
    assert invoke(event()) == {
        "s3_bucket": "b",
        "s3_key": "a\nb.png",
        "inferences": [0.97, 0.03],
        "probably_neither": None,
    }
    ((path, headers, body),) = endpoint.requests
    assert (path, body) == ("/endpoints/vehicles/invocations", IMAGE)
    assert len(headers["x-amzn-sagemaker-inference-id"]) == 36


def test_the_largest_state_is_taken(invoke: Invoke, endpoint: EndpointStub) -> None:
    endpoint.answer = Answer(b'{"prediction": [0.25, 0.75]}\n')
    assert invoke(event(bytes(180 * 1024), content_type="image/jpeg"))["inferences"] == [0.25, 0.75]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (Answer(b"<html>"), "MalformedInference"),
        (Answer(b"[NaN, 0.5]"), "MalformedInference"),
        (failure("ValidationError", 400, Message="Endpoint vehicles of account 1 not found."), "EndpointNotFound"),
        (failure("ModelError", 424, OriginalStatusCode=415), "EndpointRejectedImage"),
        (failure("ModelError", 424, OriginalStatusCode=500), "EndpointUnavailable"),
        (failure("ModelNotReadyException", 429), "EndpointUnavailable"),
        (failure("ThrottlingException", 400), "EndpointUnavailable"),
        (failure("ServiceUnavailable", 503), "EndpointUnavailable"),
        (failure("AccessDeniedException", 403), "EndpointAccessDenied"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failing_endpoint_fails_by_name_after_one_call(
    answer: Answer, name: str, invoke: Invoke, endpoint: EndpointStub
) -> None:
    endpoint.answer = answer
    assert invoke(event())["errorType"] == name
    assert len(endpoint.requests) == 1


def test_broken_events_fail_by_name_and_the_function_lives_on(invoke: Invoke, endpoint: EndpointStub) -> None:
    assert invoke([])["errorType"] == "InvalidInput"
    assert invoke(event(image_data="not base64"))["errorType"] == "InvalidInput"
    assert invoke(event(content_type="text/plain"))["errorType"] == "InvalidInput"
    assert endpoint.requests == []
    assert invoke(event())["inferences"] == [0.97, 0.03]


def test_without_an_endpoint_name_the_failure_says_so(image: str) -> None:
    container = docker("run", "--detach", "--publish", "127.0.0.1::8080", image)
    try:
        failed = emulator_of(container)(event())
    finally:
        docker("rm", "--force", container)
    assert failed["errorType"] == "InvalidConfiguration"
    assert failed["errorMessage"].startswith("ENDPOINT_NAME must be")


def test_the_log_holds_one_line_for_an_image_and_none_of_its_data(
    container: str, invoke: Invoke, endpoint: EndpointStub
) -> None:
    invoke(event(s3_key="only\nhere"))
    lines = logs(container)
    (line,) = [json.loads(line) for line in lines if '"s3_key": "only\\nhere"' in line]
    assert line["inferences"] == [0.97, 0.03]
    assert line["request_id"] == endpoint.requests[0][1]["x-amzn-sagemaker-inference-id"]
    assert base64.b64encode(IMAGE).decode()[40:80] not in "".join(lines)


def test_the_image_holds_only_what_runs_and_runs_it_as_nobody(image: str) -> None:
    (facts,) = json.loads(docker("image", "inspect", image))
    (base,) = json.loads(docker("image", "inspect", BASE))
    assert facts["Config"]["User"] == "65534:65534"
    assert facts["Config"]["Labels"]["org.opencontainers.image.title"] == "scones-classify"
    assert facts["Size"] - base["Size"] < 1_000_000
    listing = docker("run", "--rm", "--entrypoint", "ls", image, "/var/task").split()
    expected = [
        "__pycache__",
        "endpoint.py",
        "errors.py",
        "handler.py",
        "settings.py",
    ]
    assert listing == expected

"""The image as Lambda runs it: built, started under the Runtime Interface Emulator, invoked over HTTP."""

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

BASE = "public.ecr.aws/lambda/python:3.13"
DOCKER = shutil.which("docker") or "docker"
Invoke = Callable[[object], dict[str, Any]]


def docker(*arguments: str) -> str:
    return subprocess.run([DOCKER, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def engine_answers() -> bool:
    try:
        docker("version")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


pytestmark = [pytest.mark.docker, pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers")]


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    tag = f"scones-filter-test:{uuid4().hex}"
    docker("build", "--tag", tag, str(Path(__file__).parents[1]))
    yield tag
    docker("image", "rm", "--force", tag)


@pytest.fixture(scope="module")
def invoke(image: str) -> Iterator[Invoke]:
    container = start(image)
    yield emulator_of(container)
    docker("rm", "--force", container)


def start(image: str, *options: str) -> str:
    return docker("run", "--detach", "--publish", "127.0.0.1::8080", "--read-only", *options, image)


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


def event(*inferences: float) -> dict[str, object]:
    return {"s3_bucket": "images", "s3_key": "a.png", "inferences": list(inferences)}


def test_a_confident_prediction_passes(invoke: Invoke) -> None:
    assert invoke(event(0.02, 0.98)) == {
        "s3_bucket": "images",
        "s3_key": "a.png",
        "inferences": [0.02, 0.98],
        "label": "motorcycle",
        "confidence": 0.98,
        "threshold": 0.94,
    }


def test_an_unsure_prediction_fails_by_the_name_that_the_state_machine_catches(invoke: Invoke) -> None:
    failure = invoke(event(0.3, 0.7))
    assert failure["errorType"] == "ThresholdConfidenceNotMet"
    assert failure["errorMessage"].startswith("motorcycle with confidence 0.7 is below the threshold 0.94")


def test_broken_events_fail_by_name_and_the_function_lives_on(invoke: Invoke) -> None:
    assert invoke([])["errorType"] == "InvalidInput"
    assert invoke(event(0.9))["errorType"] == "MalformedInference"
    assert invoke(event(0.98, 0.02))["label"] == "bicycle"


def test_the_threshold_comes_from_the_environment(image: str) -> None:
    container = start(image, "--env", "THRESHOLD=2")
    try:
        assert emulator_of(container)(event(0.98, 0.02))["errorType"] == "InvalidConfiguration"
    finally:
        docker("rm", "--force", container)


def test_the_image_holds_only_what_runs_and_runs_it_as_nobody(image: str) -> None:
    (facts,) = json.loads(docker("image", "inspect", image))
    (base,) = json.loads(docker("image", "inspect", BASE))
    assert facts["Config"]["User"] == "65534:65534"
    assert facts["Config"]["Labels"]["org.opencontainers.image.title"] == "scones-filter"
    assert facts["Size"] - base["Size"] < 1_000_000
    listing = docker("run", "--rm", "--entrypoint", "ls", image, "/var/task")
    assert listing.split() == ["__pycache__", "errors.py", "handler.py", "settings.py"]

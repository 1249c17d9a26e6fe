"""The image, run as SageMaker runs it and more strictly: read-only, without network, as some user."""

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[3]
LOCKED_DOWN = ["--read-only", "--network", "none", "--user", "1001:1001", "--cap-drop", "ALL"]
ASK = """
import sys
from urllib.request import Request, urlopen
headers = {"Content-Type": "image/png"}
print(urlopen(Request("http://127.0.0.1:8080/invocations", sys.stdin.buffer.read(), headers)).read().decode())
"""
Run = Callable[..., str]


def docker(*arguments: str, given: bytes | None = None) -> str:
    finished = subprocess.run(["docker", *arguments], input=given, capture_output=True, timeout=600, check=False)  # noqa: S607
    assert finished.returncode == 0, f"docker {' '.join(arguments)}: {finished.stderr.decode()}"
    return finished.stdout.decode().strip()


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    tag = f"scones-serving-test:{uuid.uuid4().hex}"
    docker("build", "--quiet", "--file", str(ROOT / "training/serving/Dockerfile"), "--tag", tag, str(ROOT))
    yield tag
    docker("image", "rm", "--force", tag)


@pytest.fixture
def run(image: str, model_dir: Path) -> Iterator[Run]:
    """Run `serve` in a container that does not outlive the test; return its id."""
    containers: list[str] = []
    for path in (model_dir, *model_dir.iterdir()):
        path.chmod(0o755)  # SageMaker's container user is not the one who wrote the model

    def run_container(*options: str, model: bool = True) -> str:
        mount = ["--volume", f"{model_dir}:/opt/ml/model:ro"] if model else []
        containers.append(docker("run", "--detach", "--health-interval", "1s", *mount, *options, image, "serve"))
        return containers[-1]

    yield run_container
    for container in containers:
        docker("rm", "--force", container)


def wait_until_healthy(container: str, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while docker("inspect", "--format", "{{.State.Health.Status}}", container) != "healthy":
        assert time.monotonic() < deadline, docker("logs", container)
        time.sleep(0.2)


def logs(container: str) -> list[dict[str, object]]:
    both = subprocess.run(["docker", "logs", container], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)  # noqa: S607
    return [json.loads(line) for line in both.stdout.decode().splitlines()]


def test_the_locked_down_container_becomes_healthy_answers_and_stops_in_good_order(run: Run, red: bytes) -> None:
    container = run(*LOCKED_DOWN)
    wait_until_healthy(container)
    bicycle, motorcycle = json.loads(docker("exec", "--interactive", container, "python", "-c", ASK, given=red))
    assert bicycle > 0.94
    assert bicycle + motorcycle == pytest.approx(1)
    docker("stop", container)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container) == "0"
    assert [line["status"] for line in logs(container) if line["event"] == "invocation"] == [200]


def test_the_container_listens_on_the_port_that_sagemaker_names(run: Run, blue: bytes) -> None:
    container = run("--env", "SAGEMAKER_BIND_TO_PORT=9191", "--publish", "127.0.0.1::9191", *LOCKED_DOWN[:1])
    wait_until_healthy(container)
    address = docker("port", container, "9191").splitlines()[0]
    response = httpx.post(f"http://{address}/invocations", content=blue, headers={"Content-Type": "image/png"})
    assert response.json()[1] > 0.94


def test_a_container_without_a_model_says_so_and_ends(run: Run) -> None:
    container = run(*LOCKED_DOWN, model=False)
    assert docker("wait", container) == "3"
    assert {line["error"] for line in logs(container) if line["event"] == "start failed"} == {"ModelNotFound"}


def test_the_image_holds_the_server_alone_and_is_not_run_as_root(image: str) -> None:
    listing = docker("run", "--rm", "--entrypoint", "ls", image, "/srv/server", "/srv/server/training")
    assert "onnxruntime" in listing
    assert "torch" not in listing
    assert listing.splitlines()[-3:] == ["__init__.py", "__pycache__", "serving"]
    assert docker("image", "inspect", "--format", "{{.Config.User}}", image) == "65534:65534"

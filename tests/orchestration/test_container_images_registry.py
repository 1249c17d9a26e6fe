"""Against a real registry: Debian's docker-registry on a loopback port, which an engine takes without TLS."""

import hashlib
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.stub import Stubber
from docker import DockerClient

from orchestration.container_images import Progress, Recipe, build, publish
from orchestration.errors import ImageBuildFailed
from scones import container_images

pytestmark = pytest.mark.docker
CONFIGURATION = "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
ENGINES_OWN = {"amd64": "linux/amd64", "x86_64": "linux/amd64", "arm64": "linux/arm64", "aarch64": "linux/arm64"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        pytest.skip("no docker-registry program here (Debian's package of that name has it)")
    folder = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    (folder / "config.yml").write_text(CONFIGURATION.format(root=folder / "data", port=port))
    with subprocess.Popen([program, "serve", folder / "config.yml"], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/v2/")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
        process.kill()


@pytest.fixture(scope="module")
def engine() -> DockerClient:
    return container_images.connect()


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY handler.py /\n")
    (tmp_path / "handler.py").write_text(f"# {uuid.uuid4()}\n")
    return Recipe("filter", tmp_path)


def ecr(place: str, *described: str | None) -> Any:
    """ECR's side of the work around a push, with images found or not as told."""
    client = boto3.client("ecr", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stub = Stubber(client)
    for digest in described:
        stub.add_response("describe_repositories", {"repositories": [{"repositoryUri": place}]})
        if digest is None:
            stub.add_client_error("describe_images", "ImageNotFoundException")
            stub.add_response("get_authorization_token", {"authorizationData": [{"authorizationToken": "QVdTOng="}]})
        else:
            stub.add_response("describe_images", {"imageDetails": [{"imageDigest": digest}]})
    stub.activate()
    return client


def test_what_is_pushed_can_be_pulled_by_the_digest_that_is_deployed(
    registry: str, engine: DockerClient, recipe: Recipe
) -> None:
    place, seen = f"{registry}/scones/filter", list[Progress]()
    platform = ENGINES_OWN[engine.version()["Arch"]]
    found = publish(lambda: engine, ecr(place, None), recipe, "scones/filter", platform, seen.append)
    try:
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = httpx.get(f"http://{registry}/v2/scones/filter/manifests/{found.tag}", headers={"Accept": kind})
        assert f"sha256:{hashlib.sha256(manifest.content).hexdigest()}" == found.digest
        assert manifest.headers["Content-Type"] == kind, "Lambda takes no image index"
        assert {progress.action for progress in seen} >= {"building"}
        engine.images.remove(f"{place}:{found.tag}")
        assert engine.images.pull(found.uri).id
        again = publish(lambda: pytest.fail("built again"), ecr(place, found.digest), recipe, "scones/filter", platform)
        assert (again.uri, again.pushed) == (found.uri, False)
    finally:
        engine.images.remove(found.uri, force=True)


def test_a_step_that_fails_in_the_engine_is_named(engine: DockerClient, recipe: Recipe) -> None:
    (recipe.context / "Dockerfile").write_text("FROM scratch\nCOPY missing.py /\n")
    with pytest.raises(ImageBuildFailed, match=r"missing\.py"):
        build(engine, recipe, [f"scones-test/{uuid.uuid4().hex}:x"], ENGINES_OWN[engine.version()["Arch"]])

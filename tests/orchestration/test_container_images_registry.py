"""Against a real registry: Debian's docker-registry on a loopback port, which an engine takes without TLS."""

import hashlib
import shutil
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

from orchestration.container_images import publish
from orchestration.errors import ImageBuildFailed
from orchestration.image_builds import ContainerImageSource, ImageProgress, build, has_buildx
from scones import container_images
from tests.ports import reserved_ports

pytestmark = pytest.mark.docker
CONFIGURATION = "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
ENGINES_OWN = {"amd64": "linux/amd64", "x86_64": "linux/amd64", "arm64": "linux/arm64", "aarch64": "linux/arm64"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        pytest.skip("no docker-registry program here (Debian's package of that name has it)")
    folder = tmp_path_factory.mktemp("registry")
    with reserved_ports(1) as (port,):
        (folder / "config.yml").write_text(CONFIGURATION.format(root=folder / "data", port=port))
        process = subprocess.Popen([program, "serve", folder / "config.yml"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 600
        while process.poll() is None and time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/v2/")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def engine() -> DockerClient:
    return container_images.connect()


@pytest.fixture
def source(tmp_path: Path) -> ContainerImageSource:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY handler.py /\n")
    (tmp_path / "handler.py").write_text(f"# {uuid.uuid4()}\n")
    return ContainerImageSource("filter", tmp_path)


def ecr(uri: str, *described: str | None) -> Any:
    """ECR's side of the work around a push, which has these images, None being one that it lacks."""
    client = boto3.client("ecr", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stub = Stubber(client)
    for digest in described:
        stub.add_response("describe_repositories", {"repositories": [{"repositoryUri": uri}]})
        if digest is None:
            stub.add_client_error("describe_images", "ImageNotFoundException")
            stub.add_response("get_authorization_token", {"authorizationData": [{"authorizationToken": "QVdTOng="}]})
        else:
            stub.add_response("describe_images", {"imageDetails": [{"imageDigest": digest}]})
    stub.activate()
    return client


BUILDERS = [
    pytest.param(True, id="buildx", marks=pytest.mark.skipif(not has_buildx(), reason="no buildx here")),
    pytest.param(False, id="classic"),
]


@pytest.mark.parametrize("buildx", BUILDERS)
def test_what_is_pushed_can_be_pulled_by_the_digest_that_is_deployed(
    buildx: bool, registry: str, engine: DockerClient, source: ContainerImageSource
) -> None:
    uri, seen = f"{registry}/scones/filter", list[ImageProgress]()
    platform = ENGINES_OWN[engine.version()["Arch"]]
    published = publish(lambda: engine, ecr(uri, None), source, "scones/filter", platform, seen.append, buildx=buildx)
    try:
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = httpx.get(f"http://{registry}/v2/scones/filter/manifests/{published.tag}", headers={"Accept": kind})
        assert f"sha256:{hashlib.sha256(manifest.content).hexdigest()}" == published.digest
        assert manifest.headers["Content-Type"] == kind, "Lambda takes no image index"
        assert {progress.action for progress in seen} >= {"building"}
        engine.images.remove(f"{uri}:{published.tag}")
        assert engine.images.pull(published.uri).id
        again = publish(
            lambda: pytest.fail("built again"), ecr(uri, published.digest), source, "scones/filter", platform
        )
        assert (again.uri, again.pushed) == (published.uri, False)
    finally:
        engine.images.remove(published.uri, force=True)


@pytest.mark.parametrize("buildx", BUILDERS)
def test_a_step_that_fails_in_the_engine_is_named(
    buildx: bool, engine: DockerClient, source: ContainerImageSource
) -> None:
    (source.context / "Dockerfile").write_text("FROM scratch\nCOPY missing.py /\n")
    platform = ENGINES_OWN[engine.version()["Arch"]]
    with pytest.raises(ImageBuildFailed, match=r"missing\.py"):
        build(engine, source, [f"scones-test/{uuid.uuid4().hex}:x"], platform, buildx=buildx)

"""The container images, pushed to a real registry behind moto's ECR: Debian's docker-registry, with a password.

The tests follow one another, as a person's tries do: refused, broken off, completed, repeated.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
from docker import DockerClient

from orchestration import image_builds
from orchestration.errors import EngineUnavailable
from scones import container_image_uris, container_images
from scones.settings import Settings
from tests import fake_aws
from tests.moto.accounts import REGION, Account, account
from tests.moto.proxy import Stub
from tests.ports import reserved_ports

pytestmark = pytest.mark.moto
PASSWORD = "correct"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIGURATION = """version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: '{address}'}}
auth: {{htpasswd: {{realm: ecr, path: {folder}/htpasswd}}}}
"""


@dataclass
class Registry:
    """What stands behind moto's ECR. ``password`` is what ECR hands out."""

    folder: Path
    address: str
    password: str = PASSWORD
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, program: str) -> None:
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (self.folder / "htpasswd").write_text(f"AWS:{hashed}\n")
        (self.folder / "config.yml").write_text(CONFIGURATION.format(folder=self.folder, address=self.address))
        self.process = subprocess.Popen([program, "serve", self.folder / "config.yml"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://{self.address}/v2/")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def blobs(self) -> set[str]:
        """Return the layers and manifests that it has received."""
        return {path.parent.name for path in self.folder.glob("data/docker/registry/v2/blobs/sha256/*/*/data")}

    def manifests(self) -> set[str]:
        """Return the images with a tag."""
        tags = self.folder.glob("data/docker/registry/v2/repositories/scones/*/_manifests/tags/*")
        return {f"{path.parents[2].name}:{path.name}" for path in tags}

    def get(self, path: str) -> httpx.Response:
        """Return the answer to a request with the right password."""
        return httpx.get(
            f"http://{self.address}/v2/{path}", headers={"Accept": MANIFEST}, auth=("AWS", PASSWORD), timeout=60
        )

    def stubs(self) -> dict[str, Stub]:
        """Return ECR's calls whose answers depend on the registry."""
        return {
            "ecr:DescribeRepositories": lambda repositoryNames: {  # noqa: N803
                "repositories": [{"repositoryUri": f"{self.address}/{repositoryNames[0]}"}]
            },
            "ecr:DescribeImages": self.describe_images,
            "ecr:GetAuthorizationToken": self.get_authorization_token,
        }

    def get_authorization_token(self, **_: Any) -> dict[str, Any]:
        token = base64.b64encode(f"AWS:{self.password}".encode()).decode()
        return {"authorizationData": [{"authorizationToken": token}]}

    def describe_images(self, repositoryName: str, imageIds: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        manifest = f"http://{self.address}/v2/{repositoryName}/manifests/{imageIds[0]['imageTag']}"
        try:
            answer = httpx.head(manifest, headers={"Accept": MANIFEST}, auth=("AWS", PASSWORD))
        except httpx.TransportError:  # ECR itself is another service, which does not die with the registry
            raise fake_aws.error("ImageNotFoundException", "no such image") from None
        if answer.status_code == 404:
            raise fake_aws.error("ImageNotFoundException", "no such image")
        return {"imageDetails": [{"imageDigest": answer.headers["Docker-Content-Digest"]}]}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry program here (Debian's package of that name has it)")
    with reserved_ports(1) as (port,):
        registry = Registry(tmp_path_factory.mktemp("registry"), f"127.0.0.1:{port}")
        registry.start(program)
        yield registry
        registry.kill()


@pytest.fixture(scope="module")
def engine(registry: Registry) -> Iterator[DockerClient]:
    """The engine, without the images of these tests when they are done."""
    try:
        engine = container_images.connect()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    yield engine
    for name in [tag for image in engine.images.list() for tag in image.tags if tag.startswith(registry.address)]:
        engine.images.remove(name, force=True)


@pytest.fixture(scope="module")
def aws(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), registry.stubs()) as aws:
        aws.scones("bootstrap", "--yes")
        yield aws


@pytest.fixture(scope="module")
def tags() -> dict[str, str]:
    """The tag of each container image: the digest of its sources."""
    sources = container_images.image_sources(Settings(), container_image_uris.ALL)
    platform = image_builds.PLATFORMS["x86_64"]
    return {each.name: image_builds.tag(image_builds.context_archive(each), platform) for each in sources}


def test_wrong_credentials_are_named(aws: Account, engine: DockerClient, registry: Registry) -> None:
    """The first image is built for it; the others build on the same layers."""
    registry.password = "wrong"
    try:
        refused = aws.scones("images", "push", code=1)
    finally:
        registry.password = PASSWORD
    assert re.search(r"(?i)unauthorized|no basic auth|denied", refused.stderr)
    assert registry.blobs() == set()


def test_a_registry_that_dies_half_way_fails_the_push(aws: Account, engine: DockerClient, registry: Registry) -> None:
    with aws.user.start("images", "push") as push:
        while not registry.blobs():
            assert push.poll() is None, push.communicate()
            time.sleep(0.02)
        registry.kill()
        _, said = push.communicate(timeout=600)
    assert push.returncode == 1
    assert re.search(r"connection refused|connection reset|EOF", said)
    assert registry.manifests() == set()


def test_the_next_push_completes_it(
    aws: Account, engine: DockerClient, registry: Registry, tags: dict[str, str]
) -> None:
    before = registry.blobs()
    registry.start(str(shutil.which("docker-registry")))
    published = aws.json("images", "push")
    assert {name: image["tag"] for name, image in published.items() if image["pushed"]} == tags
    assert before < registry.blobs()
    for name, image in published.items():
        manifest = registry.get(f"{container_image_uris.repository(name)}/manifests/{tags[name]}")
        assert image["digest"] == f"sha256:{hashlib.sha256(manifest.content).hexdigest()}"
        assert manifest.headers["Content-Type"] == MANIFEST, "Lambda takes no image index"
        engine.images.remove(f"{image['uri'].partition('@')[0]}:{image['tag']}")
        pulled = engine.images.pull(image["uri"], auth_config={"username": "AWS", "password": PASSWORD})
        assert pulled.attrs["Architecture"] == "amd64"
        engine.images.remove(image["uri"])


def test_a_second_push_builds_and_sends_nothing(
    aws: Account, registry: Registry, tags: dict[str, str], tmp_path: Path
) -> None:
    before = registry.blobs(), registry.manifests()
    no_engine = replace(aws.user, environment={**aws.user.environment, "DOCKER_HOST": f"unix://{tmp_path}/none"})
    again = json.loads(no_engine.run("images", "push", "--json").stdout)
    assert {name: image["pushed"] for name, image in again.items()} == dict.fromkeys(tags, False)
    assert (registry.blobs(), registry.manifests()) == before


def test_the_repositories_refuse_a_second_image_of_a_tag(aws: Account) -> None:
    described = aws.client("ecr").describe_repositories()["repositories"]
    assert {each["imageTagMutability"] for each in described} == {"IMMUTABLE"}
    assert {each["repositoryArn"].split(":")[3] for each in described} == {REGION}

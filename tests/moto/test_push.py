"""Images pushed to a real registry behind moto's ECR: Debian's docker-registry, which asks for a password."""

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
from docker import DockerClient

from orchestration.container_images import Published, publish
from orchestration.errors import EngineUnavailable, ImagePushFailed
from orchestration.image_builds import PLATFORMS, ContainerImageSource
from scones import container_image_uris, container_images
from tests import fake_aws
from tests.moto.accounts import REGION, Account, account
from tests.moto.proxy import Stub

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
    address: str = ""
    password: str = PASSWORD
    process: "subprocess.Popen[bytes] | None" = None
    pushed: list[str] = field(default_factory=list)

    def start(self, program: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            self.address = self.address or f"127.0.0.1:{reserved.getsockname()[1]}"
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (self.folder / "htpasswd").write_text(f"AWS:{hashed}\n")
        (self.folder / "config.yml").write_text(CONFIGURATION.format(folder=self.folder, address=self.address))
        self.process = subprocess.Popen([program, "serve", self.folder / "config.yml"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
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
    registry = Registry(tmp_path_factory.mktemp("registry"))
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


def source(folder: Path, name: str) -> ContainerImageSource:
    (folder / name).mkdir()
    (folder / name / "Dockerfile").write_text("FROM scratch\nCOPY handler.py /\n")
    (folder / name / "handler.py").write_text(f"# {name} {time.time_ns()}\n")
    return ContainerImageSource(name, folder / name)


def pushed(aws: Account, engine: DockerClient, image: ContainerImageSource, *, is_built: bool = True) -> Published:
    ecr = aws.session.client("ecr", endpoint_url=aws.proxy.url)
    architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(engine.version()["Arch"], "x86_64")
    connect = (lambda: engine) if is_built else (lambda: pytest.fail("built again"))
    repository = container_image_uris.repository(image.name)
    return publish(connect, ecr, image, repository, PLATFORMS[architecture])


def test_every_image_is_pushed_once_and_named_by_its_digest(aws: Account, engine: DockerClient, tmp_path: Path) -> None:
    for name in container_image_uris.ALL:
        image = source(tmp_path, name)
        first = pushed(aws, engine, image)
        assert first.pushed
        assert engine.images.pull(first.uri, auth_config={"username": "AWS", "password": PASSWORD}).id
        again = pushed(aws, engine, image, is_built=False)
        assert (again.uri, again.pushed) == (first.uri, False)


def test_the_repositories_refuse_a_second_image_of_a_tag(aws: Account) -> None:
    ecr = aws.client("ecr")
    described = ecr.describe_repositories()["repositories"]
    assert {each["imageTagMutability"] for each in described} == {"IMMUTABLE"}
    assert {each["repositoryArn"].split(":")[3] for each in described} == {REGION}


def test_wrong_credentials_are_named(aws: Account, engine: DockerClient, registry: Registry, tmp_path: Path) -> None:
    registry.password = "wrong"
    try:
        with pytest.raises(ImagePushFailed, match=r"(?i)unauthorized|no basic auth|denied"):
            pushed(aws, engine, source(tmp_path, "filter"))
    finally:
        registry.password = PASSWORD


def test_a_registry_that_dies_fails_the_push_and_the_next_one_completes_it(
    aws: Account, engine: DockerClient, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = source(tmp_path, "filter")
    push = engine.api.push

    def die_half_way(*words: Any, **options: Any) -> Iterator[dict[str, Any]]:
        for event in push(*words, **options):
            if event.get("status") in {"Preparing", "Pushing"}:
                registry.kill()
            yield event

    monkeypatch.setattr(engine.api, "push", die_half_way)
    with pytest.raises(ImagePushFailed, match=r"connection refused|connection reset|EOF"):
        pushed(aws, engine, image)
    monkeypatch.undo()
    registry.start(str(shutil.which("docker-registry")))
    assert pushed(aws, engine, image).pushed

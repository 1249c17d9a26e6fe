import base64
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from docker.errors import APIError, DockerException

from orchestration.container_images import (
    Progress,
    Published,
    Recipe,
    build,
    context_archive,
    delete_repositories,
    ensure_repository,
    publish,
    tag,
)
from orchestration.errors import EngineUnavailable, ImageBuildFailed, ImagePushFailed
from scones.settings import ROOT

REPOSITORY = "scones/filter"
URI = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}"
DIGEST = "sha256:" + "a" * 64
AMD64 = "linux/amd64"


class FakeEngine:
    """An engine that says what it is told to; ``api`` and ``images`` are those of the Docker SDK."""

    def __init__(self, built: list[dict[str, Any]] | Exception, pushed: list[dict[str, Any]]) -> None:
        self.built, self.pushed = built, pushed
        self.api = self.images = self
        self.id = "sha256:image"
        self.credentials: dict[str, str] = {}

    def build(self, **_: Any) -> Iterator[dict[str, Any]]:
        if isinstance(self.built, Exception):
            raise self.built
        return iter(self.built)

    def get(self, _name: str) -> "FakeEngine":
        return self

    def push(self, _place: str, _tag: str, *, auth_config: dict[str, str], **_: Any) -> Iterator[dict[str, Any]]:
        self.credentials = auth_config
        return iter(self.pushed)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY handler.py /\n")
    (tmp_path / "handler.py").write_text("x = 1\n")
    (tmp_path / "notes.md").write_text("not for the image\n")
    (tmp_path / ".dockerignore").write_text("# all but\n*\n!*.py\n")
    return Recipe("filter", tmp_path)


@pytest.fixture
def ecr() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("ecr", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


def there(stub: Stubber) -> None:
    stub.add_response(
        "describe_repositories", {"repositories": [{"repositoryUri": URI}]}, {"repositoryNames": [REPOSITORY]}
    )


def unknown(stub: Stubber) -> None:
    stub.add_client_error("describe_images", "ImageNotFoundException")


def known(stub: Stubber) -> None:
    stub.add_response("describe_images", {"imageDetails": [{"imageDigest": DIGEST}]})


def allowed(stub: Stubber) -> None:
    token = base64.b64encode(b"AWS:secret:with:colons").decode()
    stub.add_response("get_authorization_token", {"authorizationData": [{"authorizationToken": token}]})


def no_engine() -> Any:
    pytest.fail("an image that is there needs no engine")


def test_the_context_is_what_the_ignore_file_lets_through(recipe: Recipe) -> None:
    assert names(context_archive(recipe)) == ["Dockerfile", "handler.py"]


def test_the_inference_images_context_is_the_server_and_nothing_else() -> None:
    found = names(context_archive(Recipe("inference", ROOT, "training/serving/Dockerfile")))
    assert {"training/serving/Dockerfile", "training/serving/app.py", "training/serving/requirements.txt"} <= set(found)
    assert all(name.startswith(("core/", "training/serving/", "training/__init__.py")) for name in found)


def test_the_same_files_give_the_same_tag_whenever_they_were_written(recipe: Recipe) -> None:
    before = tag(context_archive(recipe), AMD64)
    os.utime(recipe.context / "handler.py", (1, 1))
    (recipe.context / "notes.md").write_text("changed")
    assert tag(context_archive(recipe), AMD64) == before


@pytest.mark.parametrize("change", ["content", "mode", "platform"])
def test_whatever_the_image_depends_on_changes_the_tag(recipe: Recipe, change: str) -> None:
    before = tag(context_archive(recipe), AMD64)
    if change == "content":
        (recipe.context / "handler.py").write_text("x = 2\n")
    elif change == "mode":
        (recipe.context / "handler.py").chmod(0o755)
    platform = "linux/arm64" if change == "platform" else AMD64
    assert tag(context_archive(recipe), platform) != before


def test_a_missing_repository_is_made_with_immutable_tags_and_a_scan_of_what_is_pushed(ecr: Any) -> None:
    client, stub = ecr
    stub.add_client_error("describe_repositories", "RepositoryNotFoundException")
    arn = f"arn:aws:ecr:us-east-1:123456789012:repository/{REPOSITORY}"
    stub.add_response(
        "create_repository",
        {"repository": {"repositoryUri": URI, "repositoryArn": arn, "registryId": "123456789012"}},
        {
            "repositoryName": REPOSITORY,
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        },
    )
    stub.add_response("set_repository_policy", {}, {"repositoryName": REPOSITORY, "policyText": ANY})
    assert ensure_repository(client, REPOSITORY) == URI


def test_an_image_that_is_there_is_neither_built_nor_pushed(recipe: Recipe, ecr: Any) -> None:
    client, stub = ecr
    there(stub)
    known(stub)
    found = publish(no_engine, client, recipe, REPOSITORY, AMD64)
    wanted = tag(context_archive(recipe), AMD64)
    assert found == Published("filter", REPOSITORY, wanted, DIGEST, f"{URI}@{DIGEST}", pushed=False)


def test_an_image_that_is_missing_is_pushed_and_named_by_the_registrys_digest(recipe: Recipe, ecr: Any) -> None:
    client, stub = ecr
    there(stub)
    unknown(stub)
    allowed(stub)
    layers = [
        {"id": "one", "status": "Pushing", "progressDetail": {"current": 5, "total": 10}},
        {"id": "two", "status": "Pushing", "progressDetail": {"current": 30, "total": 30}},
    ]
    engine = FakeEngine([{"stream": "Step 2/2 : COPY"}], [*layers, {"aux": {"Tag": "t", "Digest": DIGEST}}])
    seen: list[Progress] = []
    found = publish(lambda: engine, client, recipe, REPOSITORY, AMD64, seen.append)
    assert found.pushed
    assert found.uri == f"{URI}@{DIGEST}"
    assert engine.credentials == {"username": "AWS", "password": "secret:with:colons"}
    assert seen == [
        Progress("filter", "building", 1, 2),
        Progress("filter", "pushing", 5, 10),
        Progress("filter", "pushing", 35, 40),
    ]


def test_somebody_who_pushed_the_same_meanwhile_has_done_the_work(recipe: Recipe, ecr: Any) -> None:
    client, stub = ecr
    there(stub)
    unknown(stub)
    allowed(stub)
    known(stub)
    engine = FakeEngine([], [{"error": "tag invalid: The image tag already exists and is immutable"}])
    assert publish(lambda: engine, client, recipe, REPOSITORY, AMD64).digest == DIGEST


def test_a_push_that_is_refused_says_why(recipe: Recipe, ecr: Any) -> None:
    client, stub = ecr
    there(stub)
    unknown(stub)
    allowed(stub)
    unknown(stub)
    engine = FakeEngine([], [{"error": "denied: your authorization token has expired"}])
    with pytest.raises(ImagePushFailed, match="token has expired"):
        publish(lambda: engine, client, recipe, REPOSITORY, AMD64)


def test_a_failing_step_is_named_with_what_it_said(recipe: Recipe) -> None:
    engine = FakeEngine(
        [{"stream": "Step 2/3 : RUN pip"}, {"stream": "no such package\n"}, {"error": "returned 1"}], []
    )
    with pytest.raises(ImageBuildFailed, match=r"'filter'.*returned 1.*no such package"):
        build(engine, recipe, ["scones/filter:local"], AMD64)


@pytest.mark.parametrize(
    ("raised", "named"),
    [(APIError("no space left"), ImageBuildFailed), (DockerException("refused"), EngineUnavailable)],
)
def test_an_engine_that_fails_is_a_named_error(recipe: Recipe, raised: Exception, named: type[Exception]) -> None:
    with pytest.raises(named, match=str(raised)):
        build(FakeEngine(raised, []), recipe, ["scones/filter:local"], AMD64)


def test_deleting_repositories_takes_their_images_and_passes_over_those_that_are_gone(ecr: Any) -> None:
    client, stub = ecr
    stub.add_response("delete_repository", {}, {"repositoryName": "scones/a", "force": True})
    stub.add_client_error("delete_repository", "RepositoryNotFoundException")
    assert delete_repositories(client, ["scones/a", "scones/b"]) == ["scones/a"]

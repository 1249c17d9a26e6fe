import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestration.container_images import Published, delete_images, publish, repository_uri
from orchestration.errors import ImagePushFailed, RepositoryNotFound
from orchestration.image_builds import ContainerImageSource, ImageProgress, context_archive, tag
from tests.orchestration.engines import FakeEngine

REPOSITORY = "scones/filter"
URI = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}"
DIGEST = "sha256:" + "a" * 64
AMD64 = "linux/amd64"


@pytest.fixture
def source(tmp_path: Path) -> ContainerImageSource:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY handler.py /\n")
    (tmp_path / "handler.py").write_text("x = 1\n")
    return ContainerImageSource("filter", tmp_path)


@pytest.fixture
def ecr() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("ecr", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


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


def test_a_missing_repository_names_the_command_that_creates_it(ecr: Any) -> None:
    client, stub = ecr
    stub.add_client_error("describe_repositories", "RepositoryNotFoundException")
    with pytest.raises(RepositoryNotFound, match=r"scones/filter.*scones bootstrap"):
        repository_uri(client, REPOSITORY)


def test_an_image_that_is_there_is_neither_built_nor_pushed(source: ContainerImageSource, ecr: Any) -> None:
    client, stub = ecr
    there(stub)
    known(stub)
    result = publish(no_engine, client, source, REPOSITORY, AMD64)
    expected_tag = tag(context_archive(source), AMD64)
    assert result == Published("filter", REPOSITORY, expected_tag, DIGEST, f"{URI}@{DIGEST}", pushed=False)


def test_an_image_that_is_missing_is_pushed_and_named_by_the_registrys_digest(
    source: ContainerImageSource, ecr: Any
) -> None:
    client, stub = ecr
    there(stub)
    unknown(stub)
    allowed(stub)
    layers = [
        {"id": "one", "status": "Pushing", "progressDetail": {"current": 5, "total": 10}},
        {"id": "two", "status": "Pushing", "progressDetail": {"current": 30, "total": 30}},
    ]
    engine = FakeEngine([{"stream": "Step 2/2 : COPY"}], [*layers, {"aux": {"Tag": "t", "Digest": DIGEST}}])
    seen: list[ImageProgress] = []
    result = publish(lambda: engine, client, source, REPOSITORY, AMD64, seen.append, buildx=False)
    assert result.pushed
    assert result.uri == f"{URI}@{DIGEST}"
    assert engine.credentials == {"username": "AWS", "password": "secret:with:colons"}
    assert seen == [
        ImageProgress("filter", "building", 1, 2),
        ImageProgress("filter", "pushing", 5, 10),
        ImageProgress("filter", "pushing", 35, 40),
    ]


def test_somebody_who_pushed_the_same_meanwhile_has_done_the_work(source: ContainerImageSource, ecr: Any) -> None:
    client, stub = ecr
    there(stub)
    unknown(stub)
    allowed(stub)
    known(stub)
    engine = FakeEngine([], [{"error": "tag invalid: The image tag already exists and is immutable"}])
    assert publish(lambda: engine, client, source, REPOSITORY, AMD64, buildx=False).digest == DIGEST


def test_a_push_that_is_refused_says_why(source: ContainerImageSource, ecr: Any) -> None:
    client, stub = ecr
    there(stub)
    unknown(stub)
    allowed(stub)
    unknown(stub)
    engine = FakeEngine([], [{"error": "denied: your authorization token has expired"}])
    with pytest.raises(ImagePushFailed, match="token has expired"):
        publish(lambda: engine, client, source, REPOSITORY, AMD64, buildx=False)


def test_deleting_images_empties_the_repositories_that_exist(ecr: Any) -> None:
    client, stub = ecr
    images = [{"imageDigest": DIGEST, "imageTag": str(number)} for number in range(101)]
    stub.add_response("list_images", {"imageIds": images}, {"repositoryName": "scones/a"})
    for batch in (images[:100], images[100:]):
        stub.add_response("batch_delete_image", {}, {"repositoryName": "scones/a", "imageIds": batch})
    stub.add_client_error("list_images", "RepositoryNotFoundException")
    assert delete_images(client, ["scones/a", "scones/b"]) == ["scones/a"]

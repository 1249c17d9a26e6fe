"""Builds the container images and brings them to ECR, each tagged with the digest of what it is built from.

An image that is there under its tag is neither built nor pushed again, and what is deployed is named by its digest: the
same sources give the same deployment, on any machine and without git.
"""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.utils.build import exclude_paths

from orchestration.errors import EngineUnavailable, ImageBuildFailed, ImagePushFailed

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
_TAG_DIGITS = 32


@dataclass(frozen=True)
class Recipe:
    """What an image is built from: a context folder, and the Dockerfile by its path from there."""

    name: str
    context: Path
    dockerfile: str = "Dockerfile"


@dataclass(frozen=True)
class Progress:
    """How far one image is: ``action`` is building or pushing; ``total`` is in steps or bytes, 0 while unknown."""

    name: str
    action: str
    done: int
    total: int


@dataclass(frozen=True)
class Published:
    """An image in a registry; ``uri`` names it by digest. ``pushed`` is False where it was there already."""

    name: str
    repository: str
    tag: str
    digest: str
    uri: str
    pushed: bool


OnProgress = Callable[[Progress], None]


def context_archive(recipe: Recipe) -> bytes:
    """Return the build context as a tar archive: the same files give the same bytes, whoever owns them and since when.

    Honours ``<Dockerfile>.dockerignore`` or the context's ``.dockerignore``, as ``docker build`` does.
    """
    ignore = recipe.context / f"{recipe.dockerfile}.dockerignore"
    if not ignore.is_file():
        ignore = recipe.context / ".dockerignore"
    lines = ignore.read_text().splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    chosen = exclude_paths(str(recipe.context), patterns, recipe.dockerfile) - {".dockerignore"}
    names = sorted(Path(name).as_posix() for name in chosen)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in names:
            path = recipe.context / name
            if not path.is_file():
                continue  # folders come into being with their files
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as file:
                archive.addfile(member, file)
    return content.getvalue()


def tag(archive: bytes, platform: str) -> str:
    """Return the tag of what this context builds for this platform."""
    return hashlib.sha256(platform.encode() + b"\0" + archive).hexdigest()[:_TAG_DIGITS]


def build(
    engine: DockerClient, recipe: Recipe, names: Iterable[str], platform: str, on_progress: OnProgress = lambda _: None
) -> str:
    """Build the image, give it each of the names (``repository:tag``) and return its id.

    Raises ImageBuildFailed with what the failing step said, and EngineUnavailable.
    """
    first, *others = names
    said: list[str] = []
    try:
        events = engine.api.build(
            fileobj=io.BytesIO(context_archive(recipe)),
            custom_context=True,
            dockerfile=recipe.dockerfile,
            tag=first,
            platform=platform,
            rm=True,
            forcerm=True,
            decode=True,
        )
        for event in events:
            if "error" in event:
                raise ImageBuildFailed(recipe.name, event["error"], said)
            if text := event.get("stream", "").strip():
                said.append(text)
                if step := _step(text):
                    on_progress(Progress(recipe.name, "building", *step))
        image = engine.images.get(first)
        for name in others:
            image.tag(name)
    except APIError as error:
        raise ImageBuildFailed(recipe.name, error.explanation or str(error), said) from error
    except DockerException as error:
        raise EngineUnavailable(str(error)) from error
    return str(image.id)


def publish(
    connect: Callable[[], DockerClient],
    ecr: Any,
    recipe: Recipe,
    repository: str,
    platform: str,
    on_progress: OnProgress = lambda _: None,
) -> Published:
    """Bring the image to its ECR repository, which is made where it is missing, and return where it is.

    ``connect`` is called only when there is something to build, so that an image which somebody else pushed needs no
    Docker engine here. Raises ImageBuildFailed, ImagePushFailed and EngineUnavailable.
    """
    place = ensure_repository(ecr, repository)
    wanted = tag(context_archive(recipe), platform)
    digest = find(ecr, repository, wanted)
    is_there = digest is not None
    if digest is None:
        engine = connect()
        build(engine, recipe, [f"{place}:{wanted}"], platform, on_progress)
        digest = _push(engine, ecr, recipe.name, repository, place, wanted, on_progress)
    return Published(recipe.name, repository, wanted, digest, f"{place}@{digest}", not is_there)


def ensure_repository(ecr: Any, name: str) -> str:
    """Return the repository's address; make it, with immutable tags and a scan of what is pushed, where it is missing.

    Lambda may pull from it:
    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions
    """
    try:
        return str(ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])
    except ClientError as error:
        if not _is(error, "RepositoryNotFoundException"):
            raise
    made = ecr.create_repository(
        repositoryName=name,
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "AES256"},
    )["repository"]
    partition, region = made["repositoryArn"].split(":")[1], made["repositoryArn"].split(":")[3]
    functions = f"arn:{partition}:lambda:{region}:{made['registryId']}:function:*"
    statement = {
        "Sid": "LambdaPulls",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"StringLike": {"aws:sourceArn": functions}},
    }
    ecr.set_repository_policy(
        repositoryName=name, policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    return str(made["repositoryUri"])


def find(ecr: Any, repository: str, wanted: str) -> str | None:
    """Return the digest of the image with that tag, None where there is no such image."""
    try:
        found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": wanted}])
    except ClientError as error:
        if _is(error, "ImageNotFoundException"):
            return None
        raise
    return str(found["imageDetails"][0]["imageDigest"])


def delete_repositories(ecr: Any, names: Iterable[str]) -> list[str]:
    """Delete the repositories and every image in them; return the names of those that were there."""
    gone = []
    for name in names:
        try:
            ecr.delete_repository(repositoryName=name, force=True)
        except ClientError as error:
            if not _is(error, "RepositoryNotFoundException"):
                raise
        else:
            gone.append(name)
    return gone


def _push(
    engine: DockerClient, ecr: Any, name: str, repository: str, place: str, wanted: str, on_progress: OnProgress
) -> str:
    """Push and return the digest; somebody who pushed the same meanwhile has done our work."""
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    username, password = base64.b64decode(token).decode().split(":", 1)
    try:
        events = engine.api.push(
            place, wanted, stream=True, decode=True, auth_config={"username": username, "password": password}
        )
        for event in _moved(events, name, on_progress):
            if "error" in event:
                digest = find(ecr, repository, wanted)
                if digest is not None:
                    return digest
                raise ImagePushFailed(name, repository, event["error"])
            if digest := event.get("aux", {}).get("Digest"):
                return str(digest)
    except APIError as error:
        raise ImagePushFailed(name, repository, error.explanation or str(error)) from error
    except DockerException as error:
        raise EngineUnavailable(str(error)) from error
    raise ImagePushFailed(name, repository, "the engine did not say under which digest it pushed")


def _moved(events: Iterable[dict[str, Any]], name: str, on_progress: OnProgress) -> Iterator[dict[str, Any]]:
    """Pass the engine's events on and report the bytes of all layers together."""
    layers: dict[str, tuple[int, int]] = {}
    for event in events:
        detail = event.get("progressDetail") or {}
        if "current" in detail and "id" in event:
            layers[event["id"]] = (detail["current"], max(detail["current"], detail.get("total", 0)))
            done, total = (sum(column) for column in zip(*layers.values(), strict=True))
            on_progress(Progress(name, "pushing", done, total))
        yield event


def _step(text: str) -> tuple[int, int] | None:
    """Read ``Step 3/9 : RUN …``; that step begins now, so two are done."""
    if not text.startswith("Step "):
        return None
    number, _, total = text.split()[1].partition("/")
    return int(number) - 1, int(total)


def _is(error: ClientError, code: str) -> bool:
    return bool(error.response["Error"]["Code"] == code)

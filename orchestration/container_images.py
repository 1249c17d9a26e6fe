"""Publishes the container images to ECR, into the repositories that the bootstrap stack creates.

An image whose tag ECR has is neither built nor pushed, and what is deployed is named by its digest.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError
from docker import DockerClient
from docker.errors import APIError, DockerException

from core.aws_errors import error_code
from orchestration.errors import EngineUnavailable, ImagePushFailed, RepositoryNotFound
from orchestration.image_builds import ContainerImageSource, ImageProgress, OnProgress, build, context_archive, tag

_DELETED_AT_ONCE = 100


@dataclass(frozen=True)
class Published:
    """An image in ECR; ``uri`` names it by digest. ``pushed`` is False where ECR had it already."""

    name: str
    repository: str
    tag: str
    digest: str
    uri: str
    pushed: bool


def publish(
    connect: Callable[[], DockerClient],
    ecr: Any,
    source: ContainerImageSource,
    repository: str,
    platform: str,
    on_progress: OnProgress = lambda _: None,
    *,
    buildx: bool | None = None,
) -> Published:
    """Build and push an image, unless ECR has it, and return where it is.

    ``connect`` is called only where there is something to build, so that a published image needs no Docker engine.
    Raises RepositoryNotFound, ImageBuildFailed, ImagePushFailed and EngineUnavailable.
    """
    uri = repository_uri(ecr, repository)
    image_tag = tag(context_archive(source), platform)
    digest = find_digest(ecr, repository, image_tag)
    is_published = digest is not None
    if digest is None:
        engine = connect()
        build(engine, source, [f"{uri}:{image_tag}"], platform, on_progress, buildx=buildx)
        digest = _push(engine, ecr, source.name, repository, uri, image_tag, on_progress)
    return Published(source.name, repository, image_tag, digest, f"{uri}@{digest}", not is_published)


def repository_uri(ecr: Any, name: str) -> str:
    """Return a repository's URI. Raises RepositoryNotFound."""
    try:
        return str(ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])
    except ClientError as error:
        if error_code(error) == "RepositoryNotFoundException":
            raise RepositoryNotFound(name) from error
        raise


def find_digest(ecr: Any, repository: str, image_tag: str) -> str | None:
    """Return the digest of the image with a tag, or None if there is none."""
    try:
        response = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": image_tag}])
    except ClientError as error:
        if error_code(error) == "ImageNotFoundException":
            return None
        raise
    return str(response["imageDetails"][0]["imageDigest"])


def delete_images(ecr: Any, repositories: Iterable[str]) -> list[str]:
    """Delete every image in the repositories; return the names of those that had any."""
    emptied = []
    for name in repositories:
        try:
            pages = ecr.get_paginator("list_images").paginate(repositoryName=name)
            images = [image for page in pages for image in page["imageIds"]]
        except ClientError as error:
            if error_code(error) != "RepositoryNotFoundException":
                raise
            continue
        remaining = iter(images)
        while batch := list(islice(remaining, _DELETED_AT_ONCE)):
            ecr.batch_delete_image(repositoryName=name, imageIds=batch)
        if images:
            emptied.append(name)
    return emptied


def _push(
    engine: DockerClient, ecr: Any, name: str, repository: str, uri: str, image_tag: str, on_progress: OnProgress
) -> str:
    """Push and return the digest, also where another push of the same image was faster."""
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    username, password = base64.b64decode(token).decode().split(":", 1)
    try:
        events = engine.api.push(
            uri, image_tag, stream=True, decode=True, auth_config={"username": username, "password": password}
        )
        for event in _with_progress(events, name, on_progress):
            if "error" in event:
                digest = find_digest(ecr, repository, image_tag)
                if digest is not None:
                    return digest
                raise ImagePushFailed(name, repository, event["error"])
            if digest := event.get("aux", {}).get("Digest"):
                return str(digest)
    except APIError as error:
        raise ImagePushFailed(name, repository, error.explanation or str(error)) from error
    except DockerException as error:
        raise EngineUnavailable(str(error)) from error
    raise ImagePushFailed(name, repository, "the engine reported no digest")


def _with_progress(events: Iterable[dict[str, Any]], name: str, on_progress: OnProgress) -> Iterator[dict[str, Any]]:
    """Yield the engine's events, and report the bytes of all layers together."""
    layers: dict[str, tuple[int, int]] = {}
    for event in events:
        detail = event.get("progressDetail") or {}
        if "current" in detail and "id" in event:
            layers[event["id"]] = (detail["current"], max(detail["current"], detail.get("total", 0)))
            done, total = (sum(column) for column in zip(*layers.values(), strict=True))
            on_progress(ImageProgress(name, "pushing", done, total))
        yield event

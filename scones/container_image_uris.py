"""The names of the project's container images, and their URIs in ECR."""

import re

import boto3

from orchestration.bootstrap import REPOSITORY_PREFIX
from scones.settings import Settings, Target

SERVICES = ("serialize", "classify", "filter")
INFERENCE = "inference"
ALL = (*SERVICES, INFERENCE)
_GRAVITON = re.compile(r"ml\.[a-z]+\d+g[a-z]*\.")  # ml.c7g.large; the g of ml.g5 and ml.g4dn means GPU


def repository(name: str) -> str:
    """Return the name of an image's ECR repository, which every stack of the account shares."""
    return f"{REPOSITORY_PREFIX}/{name}"


def published_uris(
    session: boto3.Session, settings: Settings, names: tuple[str, ...], architecture: str, *, build: bool = True
) -> dict[str, str]:
    """Build and push the images that ECR does not have yet, unless ``build`` is False; return each URI by its name."""
    # Docker's client takes half a second to import, and a local target needs none.
    from scones import container_images  # noqa: PLC0415

    if not build:
        return container_images.find_published(session, settings, names, architecture)
    published = container_images.publish(session, settings, names, architecture)
    return {name: image.uri for name, image in published.items()}


def template_parameters(uris: dict[str, str]) -> dict[str, str]:
    """Return the template's parameters for these images."""
    parameters = {f"{name.capitalize()}ImageUri": uri for name, uri in uris.items()}
    return parameters | {"InferenceRepository": repository(INFERENCE)}


def inference_uri(session: boto3.Session, settings: Settings, instance_type: str) -> str | None:
    """Return the URI in ECR of the inference image for such an instance; None for a local target, which needs none."""
    if settings.target is not Target.AWS:
        return None
    architecture = "arm64" if _GRAVITON.match(instance_type) else "x86_64"
    return published_uris(session, settings, (INFERENCE,), architecture)[INFERENCE]

"""The SageMaker SDK, imported on first use: the import takes seconds, which a command without SageMaker saves."""

import logging
import warnings
from typing import Any, NamedTuple, TypeAlias

import boto3

from training.errors import ContainerImageMissing

Resource: TypeAlias = Any  # the SDK's resources are untyped


class SageMakerSdk(NamedTuple):
    """Modules of the SDK, which are untyped."""

    resources: Any
    shapes: Any
    image_uris: Any


def load_sdk() -> SageMakerSdk:
    """Return the SDK's modules; the first call takes seconds."""
    logging.getLogger("sagemaker").setLevel(logging.ERROR)  # at INFO it reports each step and configuration file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in its docstrings, reported when they are compiled
        from sagemaker.core import image_uris, resources, shapes  # noqa: PLC0415 - takes seconds
    return SageMakerSdk(resources, shapes, image_uris)


def image_uri(framework: str, region: str, **details: str) -> str:
    """Return the URI of one of AWS's own container images: the registry's account differs by region.

    Raises ContainerImageMissing.
    """
    try:
        return str(load_sdk().image_uris.retrieve(framework=framework, region=region, **details))
    except ValueError as error:
        raise ContainerImageMissing(framework, region) from error


def client_kwargs(session: boto3.Session) -> dict[str, Any]:
    """Return the arguments that make an SDK resource use this session's clients."""
    return {"session": session, "region": session.region_name}

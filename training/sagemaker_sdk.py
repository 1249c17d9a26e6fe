"""The SageMaker SDK, imported on first use: the import takes seconds, which a command without SageMaker saves."""

import logging
import warnings
from typing import Any, TypeAlias

import boto3

from training.errors import ContainerImageMissing

Resource: TypeAlias = Any  # the SDK's resources are untyped


def load_sdk() -> tuple[Any, Any]:
    """Return the SDK's modules ``resources`` and ``shapes``."""
    logging.getLogger("sagemaker").setLevel(logging.ERROR)  # at INFO it reports each step and configuration file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in its docstrings, reported when they are compiled
        from sagemaker.core import resources, shapes  # noqa: PLC0415 - takes seconds
    return resources, shapes


def image_uri(framework: str, region: str, **details: str) -> str:
    """Return the URI of one of AWS's own container images: the registry's account differs by region.

    Raises ContainerImageMissing.
    """
    load_sdk()
    from sagemaker.core import image_uris  # noqa: PLC0415 - takes seconds

    try:
        return str(image_uris.retrieve(framework=framework, region=region, **details))
    except ValueError as error:
        raise ContainerImageMissing(framework, region) from error


def client_kwargs(session: boto3.Session) -> dict[str, Any]:
    """Return the arguments that make an SDK resource use this session's clients."""
    return {"session": session, "region": session.region_name}

"""The SageMaker SDK, imported on first use: the import takes seconds, which a command without SageMaker saves."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import boto3

from training.errors import ContainerImageNotFound

Resource: TypeAlias = Any  # the SDK's resources are untyped


class SageMakerSdk(NamedTuple):
    """Modules of the SDK, which are untyped."""

    resources: Any
    shapes: Any
    image_uris: Any


def load_sdk() -> SageMakerSdk:
    """Return the SDK's modules; the first call takes seconds."""
    logging.getLogger("sagemaker").setLevel(logging.ERROR)  # at INFO it reports each step and configuration file
    with warnings.catch_warnings(), _without_profile():
        warnings.simplefilter("ignore")  # invalid escapes in its docstrings, reported when they are compiled
        from sagemaker.core import image_uris, resources, shapes  # noqa: PLC0415 - takes seconds
    return SageMakerSdk(resources, shapes, image_uris)


@contextlib.contextmanager
def _without_profile() -> Iterator[None]:
    """Hide AWS's profile and files from the SDK, whose import opens a session: they need not be valid."""
    hidden = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    before = {name: os.environ.pop(name, None) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", *hidden)}
    os.environ.update(hidden)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def image_uri(framework: str, region: str, **details: str) -> str:
    """Return the URI of one of AWS's own container images: the registry's account differs by region.

    Raises ContainerImageNotFound.
    """
    try:
        return str(load_sdk().image_uris.retrieve(framework=framework, region=region, **details))
    except ValueError as error:
        raise ContainerImageNotFound(framework, region) from error


def client_kwargs(session: boto3.Session) -> dict[str, Any]:
    """Return the arguments that make an SDK resource use this session's clients."""
    return {"session": session, "region": session.region_name}

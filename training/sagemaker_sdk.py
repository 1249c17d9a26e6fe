"""The SageMaker SDK, imported at first use, since that takes seconds."""

import logging
import warnings
from typing import Any, TypeAlias

import boto3

Resource: TypeAlias = Any  # one of the SDK's, which has no types


def sdk() -> tuple[Any, Any]:
    """Return the SDK's resources and shapes."""
    logging.getLogger("sagemaker").setLevel(logging.ERROR)  # it reports every step and configuration file at INFO
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its docstrings hold escapes that Python warns of when it compiles them
        from sagemaker.core import resources, shapes  # noqa: PLC0415
    return resources, shapes


def image_uri(framework: str, region: str, **details: str) -> str:
    """Return where AWS keeps one of its own images in a region: its registry's account differs by region."""
    sdk()
    from sagemaker.core import image_uris  # noqa: PLC0415

    return str(image_uris.retrieve(framework=framework, region=region, **details))


def place(session: boto3.Session) -> dict[str, Any]:
    """Return the arguments by which a resource uses this session's clients."""
    return {"session": session, "region": session.region_name}

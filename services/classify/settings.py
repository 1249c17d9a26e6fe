"""Reads the function's environment variables.

ENDPOINT_NAME          the SageMaker endpoint to invoke
AWS_REGION             its region, which Lambda sets
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
                       the credentials of the function's role, which Lambda sets
AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME, AWS_ENDPOINT_URL
                       the URL of a SageMaker runtime that is not AWS's, such as the emulator's
"""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from errors import InvalidConfiguration, quoted

_ENDPOINT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class Credentials(NamedTuple):
    """Credentials as botocore's signers read them; the module of botocore's own class is slow to import."""

    access_key: str
    secret_key: str
    token: str | None


def endpoint_name(environ: Mapping[str, str] = os.environ) -> str:
    """Return the endpoint's name. Raises InvalidConfiguration."""
    name = environ.get("ENDPOINT_NAME")
    if name is None or len(name) > 63 or not _ENDPOINT_NAME.fullmatch(name):
        raise InvalidConfiguration(
            f"ENDPOINT_NAME must be 1 to 63 letters, digits or inner hyphens, got {quoted(name)}: set its name"
        )
    return name


def region(environ: Mapping[str, str] = os.environ) -> str:
    """Return the region. Raises InvalidConfiguration."""
    name = environ.get("AWS_REGION")
    if not name:
        raise InvalidConfiguration("AWS_REGION is not set: set it, as Lambda does")
    return name


def credentials(environ: Mapping[str, str] = os.environ) -> Credentials | None:
    """Return the function's credentials, or None if it has none."""
    access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        return None
    return Credentials(access_key, secret_key, environ.get("AWS_SESSION_TOKEN") or None)


def endpoint_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the URL of the SageMaker runtime without a final slash, or None for AWS's."""
    url = environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or environ.get("AWS_ENDPOINT_URL")
    return url.rstrip("/") if url else None

"""Reads the function's environment variables.

AWS_REGION             the region, which Lambda sets; without it us-east-1, whose S3 knows where every bucket is
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
                       the credentials of the function's role, which Lambda sets
AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL
                       the URL of an S3 that is not AWS's, such as LocalStack's
"""

import os
from collections.abc import Mapping
from typing import NamedTuple


class Credentials(NamedTuple):
    """Credentials as botocore's signers read them; the module of botocore's own class is slow to import."""

    access_key: str
    secret_key: str
    token: str | None


def region(environ: Mapping[str, str] = os.environ) -> str:
    """Return the region."""
    return environ.get("AWS_REGION") or "us-east-1"


def credentials(environ: Mapping[str, str] = os.environ) -> Credentials | None:
    """Return the function's credentials, or None if it has none."""
    access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        return None
    return Credentials(access_key, secret_key, environ.get("AWS_SESSION_TOKEN") or None)


def endpoint_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the URL of S3 without a final slash, or None for AWS's."""
    url = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    return url.rstrip("/") if url else None

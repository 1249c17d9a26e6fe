"""The few calls to S3 that the emulator makes, and S3 URIs."""

import re
from collections.abc import Mapping
from typing import Any, Protocol, cast

import botocore.session
from botocore.config import Config

_URI = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)


class S3(Protocol):
    """The part of boto3's S3 client in use here."""

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """Return the object's metadata."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        """Return the object with its ``Body`` as a stream."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: str) -> Mapping[str, Any]:  # noqa: N803
        """Write the object."""


def connect(endpoint_url: str, region: str) -> S3:
    """Return a client for the S3 that stands at ``endpoint_url``."""
    config = Config(
        s3={"addressing_style": "path"},
        connect_timeout=2,
        read_timeout=20,
        retries={"mode": "standard", "max_attempts": 3},
    )
    client = botocore.session.get_session().create_client(
        "s3",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        config=config,
    )
    return cast(S3, client)


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://bucket/key``; raise ValueError for anything else."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"{uri!r} is no s3:// URI")
    return match[1], match[2]

"""The emulator's clients for S3, CloudWatch Logs and CloudWatch."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import botocore.session
from botocore.config import Config


class S3(Protocol):
    """The part of boto3's S3 client in use here."""

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """Return the object's metadata."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        """Return the object with its ``Body`` as a stream."""

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **more: str) -> Mapping[str, Any]:  # noqa: N803
        """Write the object from bytes or an open file."""

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **more: Any) -> Mapping[str, Any]:  # noqa: N803
        """Return a page of the objects below a prefix."""


def connect(service: str, endpoint_url: str | None, region: str) -> Any:
    """Return a client for the service at ``endpoint_url``, or None without a URL."""
    if not endpoint_url:
        return None
    config = Config(
        s3={"addressing_style": "path"},
        max_pool_connections=32,
        connect_timeout=2,
        read_timeout=20,
        retries={"mode": "standard", "max_attempts": 3},
    )
    return botocore.session.get_session().create_client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        config=config,
    )


def keys(client: S3, bucket: str, prefix: str) -> Iterator[str]:
    """Yield the key of every object whose key begins with ``prefix``, except the markers of empty folders."""
    more: dict[str, Any] = {}
    while True:
        page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, **more)
        yield from (entry["Key"] for entry in page.get("Contents", ()) if not entry["Key"].endswith("/"))
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}

"""Clients made for the tests, of a known region and with known credentials."""

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config


def make_client(port: int | None = None) -> BaseClient:
    """Return an S3 client that asks once: at ``port`` of this machine, or for a test that never calls it."""
    return botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        endpoint_url=None if port is None else f"http://127.0.0.1:{port}",
        config=Config(s3={"addressing_style": "path"}, read_timeout=600, retries={"total_max_attempts": 1}),
    )

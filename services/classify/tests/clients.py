"""Clients made for the tests, of a known region and with known credentials."""

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config


def make_client(port: int | None = None, read_timeout: float = 600) -> BaseClient:
    """Return a client of the SageMaker runtime at ``port`` of this machine, or of one that is never called."""
    return botocore.session.Session().create_client(
        "sagemaker-runtime",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        endpoint_url=None if port is None else f"http://127.0.0.1:{port}",
        config=Config(connect_timeout=60, read_timeout=read_timeout, retries={"total_max_attempts": 1}),
    )

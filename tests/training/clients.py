"""boto3 clients whose responses botocore's Stubber gives."""

from typing import Any

import boto3


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")

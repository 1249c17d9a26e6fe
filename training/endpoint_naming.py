"""What an endpoint's model and configurations are called, and what tells two archives at one URL apart."""

import hashlib
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from training.errors import ArtefactMissing

MAX_NAME = 63
DIGEST = 12


def version(session: boto3.Session, url: str) -> str:
    """Return what tells this archive from another at the same URL; none where this caller may not look."""
    parts = urlsplit(url)
    client = session.client("s3", config=Config(retries={"total_max_attempts": 2}))
    try:
        return str(client.head_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["ETag"])
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise ArtefactMissing(url) from error
        return ""


def stem(name: str) -> str:
    """Return what the names of the endpoint's model and configurations begin with; no two endpoints share one."""
    room = MAX_NAME - DIGEST - 1
    if len(name) <= room:
        return name
    return f"{name[: room - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"

"""Names of an endpoint's model and configuration, and the version of a model artifact."""

import hashlib

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from core.s3_uris import S3Uri
from training.errors import ModelArtifactNotFound

MAX_NAME_LENGTH = 63
DIGEST_LENGTH = 12


def artifact_version(session: boto3.Session, uri: str) -> str:
    """Return the ETag of the model artifact; an empty string where the caller may not read it.

    Raises ModelArtifactNotFound.
    """
    artifact = S3Uri.parse(uri)
    client = session.client("s3", config=Config(retries={"total_max_attempts": 2}))
    try:
        return str(client.head_object(Bucket=artifact.bucket, Key=artifact.key)["ETag"])
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise ModelArtifactNotFound(uri) from error
        return ""


def name_prefix(endpoint: str) -> str:
    """Return the prefix of the names of the endpoint's model and configuration, unique to the endpoint."""
    max_length = MAX_NAME_LENGTH - DIGEST_LENGTH - 1
    if len(endpoint) <= max_length:
        return endpoint
    return f"{endpoint[: max_length - 9]}-{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}"

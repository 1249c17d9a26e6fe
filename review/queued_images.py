"""Reads the images that wait in the review queue."""

from typing import Any

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.s3_uris import S3Uri
from review.errors import UnreadableImage

MAX_BYTES = 32 * 1024 * 1024


def read_image(s3: Any, uri: S3Uri) -> bytes:
    """Return the object's bytes. Raises UnreadableImage, also for an object over 32 MiB."""
    try:
        response = s3.get_object(Bucket=uri.bucket, Key=uri.key)
    except ClientError as error:
        raise UnreadableImage(str(uri), error_code(error)) from error
    if response["ContentLength"] > MAX_BYTES:
        raise UnreadableImage(str(uri), f"{response['ContentLength']:,} bytes")
    content: bytes = response["Body"].read()
    return content

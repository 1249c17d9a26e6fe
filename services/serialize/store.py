"""Reads an object from S3, under whichever spelling of its key exists: botocore without boto3.

``sdk/``, which the image build writes with ``slim_sdk``, is the part of botocore's data that GetObject needs with
credentials from the environment, as on Lambda. Where it is missing, botocore uses its own.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import unquote, unquote_plus

import botocore.session
import settings
from botocore import exceptions as aws
from botocore.config import Config
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError
from errors import (
    ImageAccessDenied,
    ImageNotFound,
    ImageTooLarge,
    InvalidInput,
    SerializeError,
    StorageUnavailable,
    quoted,
)

_SDK = Path(__file__).with_name("sdk")
MAX_KEY_BYTES = 1024
MAX_OBJECT_BYTES = 32 * 1024 * 1024
_NO_CREDENTIALS = (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)
_NO_SUCH_NAME = (
    aws.ParamValidationError,
    aws.EndpointProviderError,
    aws.UnsupportedS3ArnError,
    aws.UnsupportedS3AccesspointConfigurationError,
    aws.MissingDependencyException,  # of a multi-region access point
)
# S3's error codes for names that cannot exist, and transient ones that have the status of a client error.
_INVALID = frozenset({"InvalidBucketName", "KeyTooLongError", "InvalidURI", "InvalidArgument"})
_TRANSIENT = frozenset({"RequestTimeout", "ExpiredToken", "Throttling", "ThrottlingException", "TooManyRequests"})


class ObjectStore(Protocol):
    """The operation of the S3 client that this function uses."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        """Return the object's metadata and its body, a stream."""
        ...


@cache
def s3() -> ObjectStore:
    """Return the client; it makes three quick attempts a call, and the state machine retries after that."""
    session = botocore.session.Session()
    if _SDK.is_dir():
        session.register_component("data_loader", Loader([str(_SDK)], include_default_search_paths=False))
    config = Config(
        connect_timeout=2,
        read_timeout=8,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,
    )
    return cast(ObjectStore, session.create_client("s3", region_name=settings.region(), config=config))


def fetch(store: ObjectStore, bucket: str, key: str) -> tuple[str, bytes]:
    """Return the key that exists, as it is or URL-decoded, and its bytes."""
    possible = [spelling for spelling in spellings(key) if len(spelling.encode()) <= MAX_KEY_BYTES]
    if not possible:
        size = len(key.encode())
        raise InvalidInput(f"s3_key must have at most {MAX_KEY_BYTES} bytes of UTF-8, got {size}: S3 has no such key")
    refusals: list[SerializeError] = []
    for spelling in possible:
        try:
            return spelling, read(store, bucket, spelling)
        except (ImageNotFound, ImageAccessDenied) as refusal:  # without s3:ListBucket a missing key is a 403
            refusals.append(refusal)
    raise refusals[0]


def spellings(key: str) -> list[str]:
    """Return the keys that ``key`` may stand for: itself, form-decoded (``+`` is a space), and percent-decoded."""
    keys = [key]
    for decode in (unquote_plus, unquote):
        try:
            spelling = decode(key, errors="strict")
        except UnicodeDecodeError:
            continue
        if spelling not in keys:
            keys.append(spelling)
    return keys


def read(store: ObjectStore, bucket: str, key: str) -> bytes:
    """Return an object's bytes; one that is too large is not read. Raises a SerializeError."""
    name = f"{quoted(key)} in {quoted(bucket)}"
    try:
        response = store.get_object(Bucket=bucket, Key=key)
        size, body = response["ContentLength"], response["Body"]
        if size > MAX_OBJECT_BYTES:
            body.close()
            raise ImageTooLarge(f"{name} has {size} bytes, the limit is {MAX_OBJECT_BYTES}: store a smaller copy")
        data: bytes = body.read()
    except aws.ClientError as error:
        raise refusal(error, name) from error
    except _NO_CREDENTIALS as error:
        raise ImageAccessDenied(f"{name} was not read: this function has no credentials, set its role") from error
    except _NO_SUCH_NAME as error:
        raise InvalidInput(f"{name} cannot be read: {quoted(str(error))}; correct s3_bucket or s3_key") from error
    except RecursionError as error:  # botocore looks up the bucket's region and is redirected to it endlessly
        raise StorageUnavailable(
            f"{name} could not be read, because S3 redirects endlessly: check its endpoint"
        ) from error
    except (aws.BotoCoreError, ResponseParserError) as error:
        raise StorageUnavailable(f"{name} could not be read: {quoted(str(error))}; try again") from error
    return data


def refusal(error: aws.ClientError, name: str) -> SerializeError:
    """Return the error of this state for S3's, by its code and HTTP status."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    code = error.response.get("Error", {}).get("Code", "")  # a proxy's response may have none
    reason = f"S3 responded {status} {quoted(code)}"
    if status == 404:
        return ImageNotFound(f"{name} does not exist ({reason}): check bucket and key")
    if status >= 500 or status == 429 or code in _TRANSIENT:
        return StorageUnavailable(f"{name} could not be read ({reason}): try again")
    if code in _INVALID:
        return InvalidInput(f"{name} cannot exist ({reason}): correct s3_bucket or s3_key")
    return ImageAccessDenied(f"{name} denies access ({reason}): allow this function s3:GetObject and s3:ListBucket")

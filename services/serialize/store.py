"""Reads an object from S3, under whichever spelling of its key exists."""

from urllib.parse import unquote, unquote_plus

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError
from client import ObjectStore
from errors import (
    ImageAccessDenied,
    ImageNotFound,
    ImageTooLarge,
    InvalidInput,
    SerializeError,
    StorageUnavailable,
    quoted,
)

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

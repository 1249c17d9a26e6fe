"""One object out of S3, in memory, under whichever spelling of its key it is found."""

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
# S3's codes for a name under which nothing can be stored, and for refusals that pass by themselves.
_INVALID = frozenset({"InvalidBucketName", "KeyTooLongError", "InvalidURI", "InvalidArgument"})
_PASSING = frozenset({"RequestTimeout", "ExpiredToken", "Throttling", "ThrottlingException", "TooManyRequests"})


def fetch(store: ObjectStore, bucket: str, key: str) -> tuple[str, bytes]:
    """Return the key that exists, as it came or URL-decoded, and its bytes."""
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
    """Return the keys that ``key`` may mean, likeliest first: itself, form-decoded (``+`` is a space), and decoded."""
    found = [key]
    for decode in (unquote_plus, unquote):
        try:
            spelling = decode(key, errors="strict")
        except UnicodeDecodeError:
            continue
        if spelling not in found:
            found.append(spelling)
    return found


def read(store: ObjectStore, bucket: str, key: str) -> bytes:
    """Return the bytes of one object, and ask for none of them where there are too many."""
    where = f"{quoted(key)} in {quoted(bucket)}"
    try:
        answer = store.get_object(Bucket=bucket, Key=key)
        size, body = answer["ContentLength"], answer["Body"]
        if size > MAX_OBJECT_BYTES:
            body.close()
            raise ImageTooLarge(f"{where} has {size} bytes, the limit is {MAX_OBJECT_BYTES}: store a smaller copy")
        data: bytes = body.read()
    except aws.ClientError as error:
        raise refusal(error, where) from error
    except _NO_CREDENTIALS as error:
        raise ImageAccessDenied(f"{where} was not asked for, this function has no credentials: set its role") from error
    except _NO_SUCH_NAME as error:
        raise InvalidInput(f"{where} cannot be asked for: {quoted(str(error))}; correct s3_bucket or s3_key") from error
    except RecursionError as error:  # botocore asks for the bucket's region, is redirected, and asks again
        raise StorageUnavailable(
            f"{where} could not be read, S3 redirects without end: look at its endpoint"
        ) from error
    except (aws.BotoCoreError, ResponseParserError) as error:
        raise StorageUnavailable(f"{where} could not be read: {quoted(str(error))}; try again") from error
    return data


def refusal(error: aws.ClientError, where: str) -> SerializeError:
    """Return what S3's ``error`` means, by its code and HTTP status."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    code = error.response.get("Error", {}).get("Code", "")  # a proxy's answer need not have one
    said = f"S3 answered {status} {quoted(code)}"
    if status == 404:
        return ImageNotFound(f"there is no {where} ({said}): check bucket and key")
    if status >= 500 or status == 429 or code in _PASSING:
        return StorageUnavailable(f"{where} could not be read ({said}): try again")
    if code in _INVALID:
        return InvalidInput(f"there can be no {where} ({said}): correct s3_bucket or s3_key")
    return ImageAccessDenied(f"{where} is refused ({said}): allow this function s3:GetObject and s3:ListBucket")

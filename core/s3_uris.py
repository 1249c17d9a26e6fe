"""S3 URIs, and the objects that they name."""

import re
from typing import Any, NamedTuple, Self

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.errors import InvalidS3Uri

SCHEME = "s3://"
_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "NotFound", "404"})
_URI = re.compile(r"s3://([^/]+)(?:/(.*))?", re.DOTALL)


class S3Uri(NamedTuple):
    """An object, or every object below a prefix: ``key`` may be empty. ``str`` gives the URI."""

    bucket: str
    key: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``s3://bucket/key``. Raises InvalidS3Uri."""
        match = _URI.fullmatch(text)
        if match is None:
            raise InvalidS3Uri(text)
        return cls(match[1], match[2] or "")

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


def is_s3_uri(text: str) -> bool:
    """Tell whether ``text`` is meant as an S3 URI, valid or not."""
    return text.startswith(SCHEME)


def read_object(s3: Any, uri: S3Uri) -> bytes | None:
    """Return an object's content, or None if it does not exist."""
    try:
        return bytes(s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read())
    except ClientError as error:
        if error_code(error) in _ABSENT:
            return None
        raise


def has_objects(s3: Any, prefix: S3Uri) -> bool:
    """Tell whether an object's key begins with the URI's."""
    return bool(s3.list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.key, MaxKeys=1).get("Contents"))

"""S3 URIs."""

import re
from typing import NamedTuple, Self

from core.errors import InvalidS3Uri

SCHEME = "s3://"
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

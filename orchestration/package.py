"""Uploads the template and the state machine definitions that it names, as ``aws cloudformation package`` does.

A template in a request has at most 51,200 bytes, by URL 1 MB
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html). Every object is named by
the digest of its content, so that a definition that has changed changes the stack, and one that has not does not.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("template.yaml")
_LOCATION = re.compile(r"^(?P<property> +DefinitionS3Location): (?P<file>\S+\.asl\.json)$", re.MULTILINE)


def upload(s3: Any, bucket: str, template: Path = TEMPLATE) -> str:
    """Upload a template and its definitions to a bucket and return the template's URL."""
    text = template.read_text("utf-8")
    for match in _LOCATION.finditer(text):
        _put(s3, bucket, template.parent / match["file"], (template.parent / match["file"]).read_text("utf-8"))
    return upload_packaged(s3, bucket, packaged(bucket, template))


def upload_packaged(s3: Any, bucket: str, text: str) -> str:
    """Upload a template whose definitions are in the bucket already, and return its URL."""
    return f"{s3.meta.endpoint_url}/{bucket}/{_put(s3, bucket, TEMPLATE, text)}"


def packaged(bucket: str, template: Path = TEMPLATE) -> str:
    """Return the template with each definition's file name replaced by the object that it is uploaded as."""

    def located(match: re.Match[str]) -> str:
        file = template.parent / match["file"]
        return f"{match['property']}: {{Bucket: {bucket}, Key: {_key(file, file.read_text('utf-8'))}}}"

    return _LOCATION.sub(located, template.read_text("utf-8"))


def _put(s3: Any, bucket: str, file: Path, text: str) -> str:
    key = _key(file, text)
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return key


def _key(file: Path, text: str) -> str:
    stem, _, suffix = file.name.partition(".")
    return f"templates/{stem}-{hashlib.sha256(text.encode()).hexdigest()[:32]}.{suffix}"

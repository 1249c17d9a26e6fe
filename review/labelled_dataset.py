"""The dataset of reviewed images in the stack's bucket, laid out as a training channel.

    datasets/reviewed/train.lst                index<TAB>label<TAB>file, as in every staged dataset
    datasets/reviewed/train/<digest>.<suffix>  the images, each named after its content

The next training job takes the prefix ``train/`` as its channel ``train`` and ``train.lst`` as ``train_lst``. An image
that is labelled again keeps its line, and the later label counts.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from core.aws_errors import UNREADABLE, error_code
from core.defaults import DATASETS
from core.image_formats import image_format
from core.lst_files import Entry, format_lst, parse_lst
from core.s3_uris import S3Uri
from review.errors import UnreadableImage

PREFIX = f"{DATASETS}/reviewed"
LISTING = f"{PREFIX}/train.lst"
MAX_BYTES = 32 * 1024 * 1024
_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp", "AVIF": "avif", "HEIC": "heic"}
CONFLICTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
"""The error codes of a conditional write where somebody else has written in between."""


def read_image(s3: Any, uri: S3Uri) -> bytes:
    """Return the bytes of an image that waits for its label. Raises UnreadableImage, also if it is over 32 MiB."""
    try:
        response = s3.get_object(Bucket=uri.bucket, Key=uri.key)
    except UNREADABLE as error:
        reason = error_code(error) if isinstance(error, ClientError) else "no bucket or key can have such a name"
        raise UnreadableImage(str(uri), reason) from error
    if response["ContentLength"] > MAX_BYTES:
        raise UnreadableImage(str(uri), f"{response['ContentLength']:,} bytes")
    content: bytes = response["Body"].read()
    return content


def add_image(s3: Any, bucket: str, content: bytes, source: str) -> str:
    """Copy an image to the channel and return its file name there; the same content is stored once."""
    suffix = _SUFFIXES.get(image_format(content) or "", "img")
    name = f"{hashlib.sha256(content).hexdigest()[:32]}.{suffix}"
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}/train/{name}", Body=content, Metadata={"source": quote(source)})
    return name


def record_labels(s3: Any, bucket: str, labels: Mapping[str, int]) -> None:
    """Write files' labels into the listing, without losing what others write at the same time."""
    _rewrite(s3, bucket, lambda entries: merge_labels(entries, labels))


def remove_label(s3: Any, bucket: str, file: str) -> None:
    """Take a file out of the listing; its copy stays."""
    _rewrite(s3, bucket, lambda entries: [entry for entry in entries if entry.file != file])


def _rewrite(s3: Any, bucket: str, change: Callable[[Sequence[Entry]], list[Entry]]) -> None:
    """Change the listing on condition that it has not changed since it was read.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html.
    """
    while True:
        entries, condition = _read_listing(s3, bucket)
        changed = change(entries)
        if changed == entries:
            return
        body = format_lst(changed).encode()
        try:
            s3.put_object(Bucket=bucket, Key=LISTING, Body=body, ContentType="text/plain; charset=utf-8", **condition)
        except ClientError as error:
            if error_code(error) not in CONFLICTS:
                raise
        else:
            return


def merge_labels(entries: Sequence[Entry], labels: Mapping[str, int]) -> list[Entry]:
    """Return the listing with the labels: known files keep their line, new ones follow, each with its own index."""
    known = {entry.file for entry in entries}
    updated = [Entry(entry.index, labels.get(entry.file, entry.label), entry.file) for entry in entries]
    first = max((entry.index for entry in entries), default=-1) + 1
    new = [(file, label) for file, label in labels.items() if file not in known]
    return updated + [Entry(index, label, file) for index, (file, label) in enumerate(new, start=first)]


def _read_listing(s3: Any, bucket: str) -> tuple[list[Entry], dict[str, str]]:
    """Return the listing, and the condition under which a write replaces just this version of it."""
    try:
        response = s3.get_object(Bucket=bucket, Key=LISTING)
    except s3.exceptions.NoSuchKey:
        return [], {"IfNoneMatch": "*"}
    return parse_lst(response["Body"].read().decode(), f"s3://{bucket}/{LISTING}"), {"IfMatch": response["ETag"]}

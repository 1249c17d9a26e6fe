"""What people decided about images that the model was not sure of, laid out as a training channel.

    datasets/reviewed/train.lst              index<TAB>label<TAB>file, as every .lst file of ours
    datasets/reviewed/train/<digest>.<kind>  the images, each named after its own content

It is the layout of every staged dataset, so that the next training job takes the prefix ``train/`` as its channel
``train`` and ``train.lst`` as its channel ``train_lst``. An image that is labelled again keeps its line, and the later
answer counts.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from core.lst_files import Entry, format_lst, parse_lst

PREFIX = "datasets/reviewed"
LISTING = f"{PREFIX}/train.lst"
_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}
_CHANGED_MEANWHILE = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


def keep_image(s3: Any, bucket: str, content: bytes, source: str) -> str:
    """Copy an image to the channel and return its file name there; the same content is kept once."""
    kind = next((kind for start, kind in _KINDS.items() if content.startswith(start)), "img")
    name = f"{hashlib.sha256(content).hexdigest()[:32]}.{kind}"
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}/train/{name}", Body=content, Metadata={"source": quote(source)})
    return name


def record(s3: Any, bucket: str, labels: Mapping[str, int]) -> None:
    """Write files' labels into the listing; people who do so at once do not undo each other's work.

    Each write is on condition that the listing has not changed since it was read
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
    """
    while True:
        entries, condition = _listing(s3, bucket)
        body = format_lst(merged(entries, labels)).encode()
        try:
            s3.put_object(Bucket=bucket, Key=LISTING, Body=body, ContentType="text/plain; charset=utf-8", **condition)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _CHANGED_MEANWHILE:
                raise
        else:
            return


def merged(entries: list[Entry], labels: Mapping[str, int]) -> list[Entry]:
    """Return the listing with the labels in it: known files in their line, new ones behind, each with its own index."""
    known = {entry.file for entry in entries}
    kept = [Entry(entry.index, labels.get(entry.file, entry.label), entry.file) for entry in entries]
    first = max((entry.index for entry in entries), default=-1) + 1
    new = [(file, label) for file, label in labels.items() if file not in known]
    return kept + [Entry(index, label, file) for index, (file, label) in enumerate(new, start=first)]


def _listing(s3: Any, bucket: str) -> tuple[list[Entry], dict[str, str]]:
    """Return the listing and the condition under which a write replaces just this state of it."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=LISTING)
    except s3.exceptions.NoSuchKey:
        return [], {"IfNoneMatch": "*"}
    return parse_lst(answer["Body"].read().decode(), f"s3://{bucket}/{LISTING}"), {"IfMatch": answer["ETag"]}

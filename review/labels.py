"""The labels that people give: read from KEY=LABEL lines, and matched with the images in the review queue."""

import csv
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from core.labels import Labels
from core.s3_uris import S3Uri
from core.text_files import decode_text
from review.errors import AmbiguousImage, ImageNotInReview, InvalidLabel

NEITHER = "neither"
"""The label of an image that shows neither class; it is recorded, and the image joins no training channel."""


def parse_label_lines(lines: Iterable[str], labels: Labels) -> dict[str, str]:
    """Return the label by key from KEY=LABEL; a later line wins. Raises InvalidLabel."""
    by_key = {}
    for line in filter(str.strip, lines):
        key, separator, name = line.strip().rpartition("=")
        label = _recognized(name, labels)
        if not (separator and key and label):
            raise InvalidLabel(line.strip(), (*labels, NEITHER))
        by_key[key] = label
    return by_key


def read_label_file(content: bytes, name: str, labels: Labels) -> dict[str, str]:
    """Return the label by key or URI from a file; a later line wins. Raises InvalidLabel or UndecodableText.

    It has JSON lines of objects with s3_key, label and perhaps s3_bucket, as the page saves them and as no key can
    break them; or CSV with such a header; or lines of KEY=LABEL.
    """
    text = decode_text(content, name)
    lines = [line for line in text.split("\n") if line.strip()]  # not splitlines(): a key may have a U+2028
    if lines and lines[0].lstrip().startswith("{"):
        return dict(_of_object(_json(line, labels), line, labels) for line in lines)
    if lines and {"s3_key", "label"} <= {column.strip() for column in lines[0].split(",")}:
        rows = csv.DictReader(text.split("\n"))
        return dict(_of_object(row, f"line {rows.line_num}", labels) for row in rows)
    return parse_label_lines(lines, labels)


def _json(line: str, labels: Labels) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidLabel(line, (*labels, NEITHER)) from error
    return value if isinstance(value, dict) else {}


def _of_object(item: Mapping[str, Any], line: str, labels: Labels) -> tuple[str, str]:
    """Return the image that an object names, and its label. Raises InvalidLabel."""
    key, bucket, label = item.get("s3_key"), item.get("s3_bucket"), _recognized(item.get("label"), labels)
    if not (isinstance(key, str) and key and label) or not isinstance(bucket, str | None):
        raise InvalidLabel(line, (*labels, NEITHER))
    return str(S3Uri(bucket, key)) if bucket else key, label


def _recognized(name: object, labels: Labels) -> str | None:
    """Return the label that is meant, whatever its case, or None if there is none."""
    known = {label.casefold(): label for label in (*labels, NEITHER)}
    return known.get(name.strip().casefold()) if isinstance(name, str) else None


def match_images(labels: Mapping[str, str], images: Collection[S3Uri]) -> dict[S3Uri, str]:
    """Return the label of each image that is named by its key or its URI. Raises ImageNotInReview or AmbiguousImage."""
    by_name: dict[str, list[S3Uri]] = {}
    for image in images:
        by_name.setdefault(image.key, []).append(image)
        by_name.setdefault(str(image), []).append(image)
    missing = [name for name in labels if name not in by_name]
    if missing:
        raise ImageNotInReview(missing)
    for name in labels:
        if len(by_name[name]) > 1:
            raise AmbiguousImage(name, [str(image) for image in by_name[name]])
    return {by_name[name][0]: label for name, label in labels.items()}

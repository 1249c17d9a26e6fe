"""Manifests: lists of images in S3, in the forms that people and AWS write them in.

- a JSON list, or JSON lines, of keys, of URIs, of objects with ``s3_key`` and perhaps ``s3_bucket`` (``Key`` and
  ``Bucket`` as AWS prints them), or of an augmented manifest's objects with ``source-ref``
- what `aws s3api list-objects-v2` prints
- CSV with a header that has one of these columns
- S3 Inventory's ``manifest.json``, whose CSV files are read from its destination bucket
  (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html)
"""

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from core.errors import InvalidS3Uri
from core.s3_uris import S3Uri, is_s3_uri
from core.text_files import decode_text
from orchestration.executions import S3Image
from scones.errors import UnreadableManifest
from scones.image_inputs import DUPLICATE, SkippedInput, classify_key

ReadObject = Callable[[S3Uri], bytes]
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".manifest")
_KEY_NAMES = ("s3_key", "Key")
_BUCKET_NAMES = ("s3_bucket", "Bucket")
_URI_NAMES = ("source-ref", "s3_uri")
_COLUMNS = frozenset({*_KEY_NAMES, *_URI_NAMES})
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class ManifestContent:
    """The images of a manifest, each once and in its order, and what of it is skipped."""

    images: list[S3Image]
    skipped: list[SkippedInput]


def read_manifest(content: bytes, name: str, bucket: str, read_object: ReadObject) -> ManifestContent:
    """Read a manifest whose items are in ``bucket`` unless they name another; ``read_object`` reads inventory files.

    Raises UnreadableManifest or UndecodableText.
    """
    text = decode_text(_unpacked(content, name), name)
    images: dict[S3Image, None] = {}
    skipped: list[SkippedInput] = []
    for number, value in enumerate(_items(text, name, read_object), start=1):
        item = _item(value, name, number, bucket)
        if isinstance(item, S3Image) and item in images:
            item = SkippedInput(str(S3Uri(item.s3_bucket, item.s3_key)), DUPLICATE)
        if isinstance(item, S3Image):
            images[item] = None
        else:
            skipped.append(item)
    return ManifestContent(list(images), skipped)


def is_manifest_name(key: str) -> bool:
    """Tell whether a key is named as a manifest is."""
    return key.lower().removesuffix(".gz").endswith(SUFFIXES)


def _unpacked(content: bytes, name: str) -> bytes:
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableManifest(name, f"it is damaged ({error})") from error


def _items(text: str, name: str, read_object: ReadObject) -> Iterable[Any]:
    """Return the items of a manifest: texts or objects."""
    start = text.lstrip()[:1]
    if not start:
        raise UnreadableManifest(name, "it is empty")
    if start == "[":
        items = _json(text, name, "")
        return items if isinstance(items, list) else []
    if start == "{" or (start == '"' and not _columns(text) & _COLUMNS):
        return _json_items(text, name, read_object)
    return _csv_items(text, name)


def _json_items(text: str, name: str, read_object: ReadObject) -> Iterable[Any]:
    """Return the items of JSON lines, or of the one object that describes an inventory."""
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict) and "fileSchema" in whole:
        return _inventory_items(whole, name, read_object)
    if isinstance(whole, dict) and isinstance(whole.get("Contents"), list):
        return list(whole["Contents"])
    if isinstance(whole, dict | str):
        return [whole]
    return (_json(line, name, f"line {number}: ") for number, line in enumerate(lines, start=1))


def _columns(text: str) -> set[str]:
    """Return the columns that a text has if it is CSV."""
    return {column.strip() for column in next(csv.reader(text.lstrip().split("\n", 1)[:1]), [])}


def _json(text: str, name: str, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise UnreadableManifest(name, f"{where}it is nested too deeply") from error
    except ValueError as error:
        raise UnreadableManifest(name, f"{where}{error}") from error


def _csv_items(text: str, name: str) -> Iterator[Any]:
    """Yield the rows of CSV as objects; without a header, lines that are all S3 URIs are accepted, too."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if all(map(is_s3_uri, lines)):
        yield from lines
        return
    try:
        rows = csv.DictReader(text.lstrip().split("\n"), strict=True)
        if not set(rows.fieldnames or ()) & _COLUMNS:
            raise UnreadableManifest(name, "its first line has no column s3_key")
        yield from ({column: value or "" for column, value in row.items() if column} for row in rows)
    except csv.Error as error:
        raise UnreadableManifest(name, str(error)) from error


def _inventory_items(manifest: dict[str, Any], name: str, read_object: ReadObject) -> Iterator[Any]:
    """Yield the objects of an inventory: the newest version of each that is not a delete marker."""
    if manifest.get("fileFormat") != "CSV":
        raise UnreadableManifest(name, f"the inventory is in {manifest.get('fileFormat')}; have it written as CSV")
    columns = [column.strip() for column in str(manifest["fileSchema"]).split(",")]
    destination = str(manifest.get("destinationBucket", "")).removeprefix("arn:aws:s3:::")
    files = manifest.get("files")
    has_files = isinstance(files, list) and all(isinstance(file, dict) for file in files)
    if not {"Bucket", "Key"} <= set(columns) or not destination or not has_files:
        raise UnreadableManifest(name, "the inventory has no fileSchema with Bucket and Key, destination or files")
    for file in files or ():
        content = _unpacked(read_object(S3Uri(destination, str(file.get("key")))), name)
        for row in csv.DictReader(decode_text(content, name).split("\n"), columns):
            if row.get("IsLatest", "true") != "false" and row.get("IsDeleteMarker", "false") != "true":
                yield {"Bucket": row["Bucket"], "Key": unquote(row["Key"] or "")}


def _item(value: Any, name: str, number: int, bucket: str) -> S3Image | SkippedInput:
    """Return the image that an item names. Raises UnreadableManifest."""
    if isinstance(value, str):
        return _located(value, name, number, bucket)
    if not isinstance(value, dict):
        raise UnreadableManifest(name, f"item {number} is {_short(value)}, not a key or an object")
    uri, key, own_bucket = (_text(value, names, name, number) for names in (_URI_NAMES, _KEY_NAMES, _BUCKET_NAMES))
    if uri:
        return _located(uri, name, number, bucket)
    if key is None and uri is None:
        raise UnreadableManifest(name, f"item {number} has no s3_key: {_short(value)}")
    return classify_key(own_bucket or bucket, key or "")


def _text(value: dict[str, Any], names: Iterable[str], name: str, number: int) -> str | None:
    """Return the first of these members that the object has, or None if it has none. Raises UnreadableManifest."""
    for member in names:
        if member in value:
            if not isinstance(value[member], str):
                raise UnreadableManifest(name, f"{member} of item {number} is {_short(value[member])}, not a text")
            return str(value[member])
    return None


def _located(text: str, name: str, number: int, bucket: str) -> S3Image | SkippedInput:
    """Read an S3 URI, or a key in ``bucket``."""
    if not is_s3_uri(text):
        return classify_key(bucket, text)
    try:
        return classify_key(*S3Uri.parse(text))
    except InvalidS3Uri as error:
        raise UnreadableManifest(name, f"item {number}: {error}") from error


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"

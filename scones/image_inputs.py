"""The images that a command classifies: files, folders of images and objects in S3, with what is skipped and why.

Every file and object that is specified, directly or by its folder or prefix, is either an image or skipped for a
reason. Nothing is uploaded before all of them have been checked.
"""

import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

from core.image_formats import image_format
from core.s3_uris import S3Uri, is_s3_uri
from orchestration.executions import S3Image
from scones.console import Advance
from scones.errors import ImagesMissing, UnusableInput

UPLOADS = 16
_QUEUED_UPLOADS = 4 * UPLOADS
_HEAD_BYTES = 256
# A damaged file of such a name is sent, so that it ends as a failure and is not skipped.
_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)
# Control characters, U+FFFE and U+FFFF, and a backslash that would begin an escape.
_ESCAPED = re.compile(rb"[\0-\x1f\x7f]|\xef\xbf[\xbe\xbf]|\\(?=x[0-9a-f]{2})")
_OTHER_FORMATS = (b"BM", b"II*\0", b"MM\0*")  # BMP and TIFF, which the workflow refuses by name

SKIPPED = "SKIPPED"
"""The outcome of what is not classified; the other outcomes are SUCCEEDED and the names of errors."""
HIDDEN = "hidden"
FOLDER_PLACEHOLDER = "folder placeholder"
NOT_AN_IMAGE = "not an image"
EMPTY_NAME = "empty name"
DUPLICATE = "duplicate"
_NOT_REGULAR = "not a regular file"
_VISITED = "a folder that is included already"


@dataclass(frozen=True)
class LocalImage:
    """An image on disk; ``name`` is how the user named it, or its folder."""

    path: Path
    name: str


@dataclass(frozen=True)
class SkippedInput:
    """What is not classified, and why."""

    name: str
    reason: str


@dataclass
class ImageInputs:
    """Images in S3 with their names, and what is skipped."""

    images: list[S3Image] = field(default_factory=list)
    names: dict[S3Image, str] = field(default_factory=dict)
    skipped: list[SkippedInput] = field(default_factory=list)


def collect(s3: Any, bucket: str, run_name: str, sources: Sequence[str], advance: Advance) -> ImageInputs:
    """Return the images of ``sources``: objects in S3 as they are, files uploaded to ``bucket``.

    Raises UnusableInput or InvalidS3Uri before anything is uploaded, and ImagesMissing if there are no images.
    """
    inputs, local = ImageInputs(), list[LocalImage]()
    seen: set[object] = set()
    for entry in _entries(s3, sources):
        identity = os.path.realpath(entry.path) if isinstance(entry, LocalImage) else entry
        if isinstance(entry, SkippedInput):
            inputs.skipped.append(entry)
        elif identity in seen:
            inputs.skipped.append(SkippedInput(_name(entry), DUPLICATE))
        elif isinstance(entry, LocalImage):
            local.append(entry)
        else:
            inputs.images.append(entry)
        seen.add(identity)
    if not inputs.images and not local:
        raise ImagesMissing(", ".join(sources))
    inputs.names = {image: _name(image) for image in inputs.images}
    uploaded = upload_images(s3, bucket, f"runs/{run_name}", [image.path for image in local], advance)
    inputs.images += uploaded
    inputs.names |= {image: each.name for image, each in zip(uploaded, local, strict=True)}
    return inputs


def _entries(s3: Any, sources: Iterable[str]) -> Iterator[LocalImage | S3Image | SkippedInput]:
    for source in sources:
        if is_s3_uri(source):
            yield from list_objects(s3, S3Uri.parse(source))
        elif not source.strip():
            raise UnusableInput(source, "specify a file, a folder or an s3://bucket/key URI")
        else:
            yield from local_entries(Path(source))


def _name(image: LocalImage | S3Image) -> str:
    return image.name if isinstance(image, LocalImage) else str(S3Uri(image.s3_bucket, image.s3_key))


def local_entries(path: Path) -> Iterator[LocalImage | SkippedInput]:
    """Yield a file as an image, whatever it is, or what is below a folder. Raises UnusableInput."""
    try:
        mode = path.stat().st_mode
        is_folder = stat.S_ISDIR(mode)
        if not is_folder and not stat.S_ISREG(mode):  # opening a FIFO waits for its writer
            raise UnusableInput(str(path), f"{_NOT_REGULAR}: save what it contains to a file, and specify that")
        if not is_folder:
            _head(path)
    except OSError as error:
        raise UnusableInput(str(path), error.strerror or str(error)) from error
    if is_folder:
        yield from walk(path)
    else:
        yield LocalImage(path, str(path))


def walk(folder: Path) -> Iterator[LocalImage | SkippedInput]:
    """Yield what is below a folder, sorted by name within each folder; linked folders are followed, each folder once.

    Names of one folder are in memory at a time. Raises UnusableInput if the folder itself cannot be read.
    """
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise UnusableInput(str(folder), error.strerror or str(error)) from error
    yield from _walk(folder, set())


def _walk(folder: Path, visited: set[tuple[int, int]]) -> Iterator[LocalImage | SkippedInput]:
    status = folder.stat()
    visited.add((status.st_dev, status.st_ino))
    for path in sorted(folder.iterdir()):
        try:
            yield from _entry(path, visited)
        except OSError as error:
            yield SkippedInput(str(path), f"cannot be read: {error.strerror}")


def _entry(path: Path, visited: set[tuple[int, int]]) -> Iterator[LocalImage | SkippedInput]:
    if path.name.startswith("."):
        yield SkippedInput(str(path), HIDDEN)
        return
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        if (status.st_dev, status.st_ino) in visited:
            yield SkippedInput(str(path), _VISITED)
        else:
            yield from _walk(path, visited)
    elif not stat.S_ISREG(status.st_mode):
        yield SkippedInput(str(path), _NOT_REGULAR)
    elif is_image(path):
        yield LocalImage(path, str(path))
    else:
        yield SkippedInput(str(path), NOT_AN_IMAGE)


def is_image(path: Path) -> bool:
    """Tell whether a file begins as an image does, or at least is named as one. Raises OSError."""
    return has_image_content(path) or path.suffix.lower() in _SUFFIXES


def has_image_content(path: Path) -> bool:
    """Tell whether a file begins as an image does. Raises OSError."""
    head = _head(path)
    return image_format(head) is not None or head.startswith(_OTHER_FORMATS)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def list_objects(s3: Any, uri: S3Uri) -> Iterator[S3Image | SkippedInput]:
    """Yield an object as an image, whatever it is, or the objects below a prefix that is empty or ends in a slash."""
    if uri.key and not uri.key.endswith("/"):
        yield S3Image(uri.bucket, uri.key)
    else:
        yield from list_prefix(s3, uri)


def list_prefix(s3: Any, uri: S3Uri) -> Iterator[S3Image | SkippedInput]:
    """Yield the objects whose keys begin with the URI's."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=uri.bucket, Prefix=uri.key):
        for entry in page.get("Contents", []):
            yield classify_key(uri.bucket, str(entry["Key"]))


def classify_key(bucket: str, key: str) -> S3Image | SkippedInput:
    """Return an object as an image unless its key says that it is not one."""
    name = key.rpartition("/")[2]
    if not key:
        return SkippedInput(f"s3://{bucket}/", EMPTY_NAME)
    if not name:
        return SkippedInput(f"s3://{bucket}/{key}", FOLDER_PLACEHOLDER)
    if name.startswith("."):
        return SkippedInput(f"s3://{bucket}/{key}", HIDDEN)
    return S3Image(bucket, key)


def upload_images(s3: Any, bucket: str, prefix: str, paths: Sequence[Path], advance: Advance) -> list[S3Image]:
    """Put local files under ``prefix`` and return them in order; their position keeps files of one name apart."""
    images = []
    for number, path in enumerate(paths):
        key = f"{prefix}/{number:05d}/{_key(Path(path.name))}"
        s3.upload_file(os.fspath(path), bucket, key)
        images.append(S3Image(bucket, key))
        advance(number + 1, len(paths))
    return images


def upload_folder(s3: Any, bucket: str, prefix: str, folder: Path, on_upload: Callable[[int], None]) -> int:
    """Put the images below ``folder`` under ``prefix``, by their relative paths, and return how many they are."""
    config = TransferConfig(use_threads=False)
    count = 0

    def upload(path: Path) -> None:
        s3.upload_file(os.fspath(path), bucket, f"{prefix}{_key(path.relative_to(folder))}", Config=config)

    with ThreadPoolExecutor(UPLOADS) as pool:
        pending: deque[Future[None]] = deque()
        try:
            for entry in walk(folder):
                if isinstance(entry, SkippedInput):
                    continue
                pending.append(pool.submit(upload, entry.path))
                if len(pending) >= _QUEUED_UPLOADS:
                    pending.popleft().result()
                    count += 1
                    on_upload(count)
            while pending:
                pending.popleft().result()
                count += 1
                on_upload(count)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return count


def _key(path: Path) -> str:
    """Return a path as a key, which is UTF-8 and which XML can contain.

    Of other bytes in a name it keeps the hexadecimal digits, so that two paths never have the same key.
    """
    escaped = _ESCAPED.sub(lambda match: b"".join(b"\\x%02x" % byte for byte in match[0]), os.fsencode(path.as_posix()))
    return escaped.decode("utf-8", "backslashreplace")

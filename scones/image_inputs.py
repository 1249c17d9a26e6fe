"""The images that a user names: files, folders of images, and addresses in S3."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

from orchestration.executions import Image
from scones import pipeline
from scones.console import Advance
from scones.errors import ImagesMissing

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"})
UPLOADS = 16
_AHEAD = 4 * UPLOADS


def images(s3: Any, bucket: str, run_name: str, given: list[str], advance: Advance) -> list[Image]:
    """Addresses stay where they are; files are uploaded; folders give the images in them, sorted by name.

    Raises ImagesMissing where there are none.
    """
    addresses = [Image(*address(item)) for item in given if item.startswith("s3://")]
    paths: list[Path] = []
    for path in (Path(item) for item in given if not item.startswith("s3://")):
        paths += sorted(walk(path)) if path.is_dir() else [path]
    if not addresses and not paths:
        raise ImagesMissing(", ".join(given))
    return addresses + pipeline.upload_images(s3, bucket, f"runs/{run_name}", paths, advance)


def address(text: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://bucket/key``; the key may be empty."""
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return bucket, key


def walk(folder: Path) -> Iterator[Path]:
    """Yield the images below a folder, in no order: however many they are, few names are held at once."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from walk(Path(entry.path))
            elif entry.is_file() and Path(entry.name).suffix.lower() in SUFFIXES:
                yield Path(entry.path)


def upload_folder(s3: Any, bucket: str, prefix: str, folder: Path, on_upload: Callable[[int], None]) -> int:
    """Put the images below ``folder`` under ``prefix``, by their paths there, and return how many they are.

    Raises ImagesMissing where there are none.
    """
    alone = TransferConfig(use_threads=False)
    count = 0

    def send(path: Path) -> None:
        s3.upload_file(str(path), bucket, f"{prefix}{_key(path.relative_to(folder))}", Config=alone)

    with ThreadPoolExecutor(UPLOADS) as pool:
        waiting: deque[Future[None]] = deque()
        try:
            for path in walk(folder):
                waiting.append(pool.submit(send, path))
                if len(waiting) >= _AHEAD:
                    waiting.popleft().result()
                    count += 1
                    on_upload(count)
            while waiting:
                waiting.popleft().result()
                count += 1
                on_upload(count)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if not count:
        raise ImagesMissing(str(folder))
    return count


def _key(path: Path) -> str:
    """Return a path as a key, which is UTF-8: of other bytes in a name it keeps the hexadecimal digits."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")

"""The images that a command classifies: files, folders of images, and objects in S3."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

from core.s3_uris import S3Uri, is_s3_uri
from orchestration.executions import Image
from scones.console import Advance
from scones.errors import ImagesMissing

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"})
UPLOADS = 16
_QUEUED_UPLOADS = 4 * UPLOADS


def collect(s3: Any, bucket: str, run_name: str, sources: Sequence[str], advance: Advance) -> list[Image]:
    """Return the images of ``sources``: objects in S3 as they are, files uploaded, folders by their sorted images.

    Raises ImagesMissing where there are none.
    """
    objects = [Image(*S3Uri.parse(source)) for source in sources if is_s3_uri(source)]
    paths: list[Path] = []
    for path in (Path(source) for source in sources if not is_s3_uri(source)):
        paths += sorted(walk(path)) if path.is_dir() else [path]
    if not objects and not paths:
        raise ImagesMissing(", ".join(sources))
    return objects + upload_images(s3, bucket, f"runs/{run_name}", paths, advance)


def upload_images(s3: Any, bucket: str, prefix: str, paths: Sequence[Path], advance: Advance) -> list[Image]:
    """Put local files under ``prefix`` and return them in order; their position keeps files of one name apart."""
    images = []
    for number, path in enumerate(paths):
        key = f"{prefix}/{number:05d}/{path.name}"
        s3.upload_file(str(path), bucket, key)
        images.append(Image(bucket, key))
        advance(number + 1, len(paths))
    return images


def walk(folder: Path) -> Iterator[Path]:
    """Yield the images below a folder, in no order: however many there are, few names are in memory at once."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from walk(Path(entry.path))
            elif entry.is_file() and Path(entry.name).suffix.lower() in SUFFIXES:
                yield Path(entry.path)


def upload_folder(s3: Any, bucket: str, prefix: str, folder: Path, on_upload: Callable[[int], None]) -> int:
    """Put the images below ``folder`` under ``prefix``, by their relative paths, and return how many they are.

    Raises ImagesMissing where there are none.
    """
    config = TransferConfig(use_threads=False)
    count = 0

    def upload(path: Path) -> None:
        s3.upload_file(str(path), bucket, f"{prefix}{_key(path.relative_to(folder))}", Config=config)

    with ThreadPoolExecutor(UPLOADS) as pool:
        pending: deque[Future[None]] = deque()
        try:
            for path in walk(folder):
                pending.append(pool.submit(upload, path))
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
    if not count:
        raise ImagesMissing(str(folder))
    return count


def _key(path: Path) -> str:
    """Return a path as a key, which is UTF-8: of other bytes in a name it keeps the hexadecimal digits."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")

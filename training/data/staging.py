"""Writes a dataset's images as PNG files, with .lst files and a manifest: all of them, or nothing."""

import hashlib
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from core.lst_files import Entry, format_lst
from training.data.dataset_manifest import MANIFEST, File, Manifest, read_manifest
from training.data.directory_lock import lock_directory
from training.data.errors import DestinationOccupied, NotStaged, translate_write_errors
from training.data.labelled_images import OTHER_SPLITS, SPLITS, ImageSource, LabelledImage, Split

Progress = Callable[[int, int], None]

_UNSAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_STEM_LENGTH = 100
_BATCH = 64  # images that are encoded before they are written
_BLOCK_BYTES = 4000  # pixels that fit into 4 KiB, uncompressed


class StagedDataset(NamedTuple):
    """A staged directory, and whether this call wrote it."""

    path: Path
    manifest: Manifest
    written: bool


def stage(source: ImageSource, out: Path, progress: Progress | None = None, tool: str = "scones") -> StagedDataset:
    """Write the images of ``source`` to the directory ``out``, unless they are there.

    ``out`` gets ``train/*.png``, ``test/*.png``, ``train.lst``, ``test.lst`` and ``manifest.json``; from a source with
    images of other classes also ``other`` and ``other_test``, each with its list. It appears, or is replaced, only when
    complete; what a killed call left behind is cleaned up. ``progress`` gets the number of images done and in all;
    ``tool`` is recorded in the manifest. Raises a DataError.
    """
    out = out.absolute()
    with translate_write_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
    with lock_directory(out.parent):
        _clean_up(out)
        manifest = _staged_manifest(out)
        fingerprint = source.fingerprint()
        if manifest and manifest.source == fingerprint and manifest.matches(out):
            return StagedDataset(out, manifest, written=False)
        with _staging_directory(out) as staging:
            files = _write_files(source, staging, progress)
            manifest = Manifest(source.dataset, source.classes, fingerprint, tool, files)
            _write_file(staging / MANIFEST, manifest.to_json().encode())
            _replace(out, staging)
    return StagedDataset(out, manifest, written=True)


def _staging_prefix(out: Path) -> str:
    return f".{out.name}.staging-"


def _clean_up(out: Path) -> None:
    """Remove what a killed call left next to ``out``, and restore the dataset that it had moved away."""
    with translate_write_errors(out):
        for leftover in [path for path in out.parent.iterdir() if path.name.startswith(_staging_prefix(out))]:
            if (leftover / "old").exists() and not out.exists():
                (leftover / "old").rename(out)
            shutil.rmtree(leftover, ignore_errors=True)


def _staged_manifest(out: Path) -> Manifest | None:
    """Return the manifest of ``out``, or None if there is nothing. Raises DestinationOccupied for anything else."""
    if not out.exists():
        return None
    try:
        return read_manifest(out)
    except NotStaged:
        if out.is_dir() and not any(out.iterdir()):
            return None
        raise DestinationOccupied(out) from None


@contextmanager
def _staging_directory(out: Path) -> Iterator[Path]:
    """Yield the path of a directory next to ``out``, on the same disk, and remove it in the end."""
    with translate_write_errors(out.parent):
        holder = Path(tempfile.mkdtemp(prefix=_staging_prefix(out), dir=out.parent))
    try:
        yield holder / "new"
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def _replace(out: Path, staging: Path) -> None:
    """Move ``staging`` to ``out``; restore the old dataset if that fails."""
    old = staging.with_name("old")
    with translate_write_errors(out):
        if out.exists():
            out.rename(old)
        try:
            staging.rename(out)
        except OSError:
            with suppress(OSError):
                old.rename(out)
            raise


def _write_files(source: ImageSource, staging: Path, progress: Progress | None) -> dict[str, File]:
    """Write images and lists, and return their entries of the manifest."""
    total, images = source.images()
    with translate_write_errors(staging):
        for split in SPLITS:
            (staging / split).mkdir(parents=True)
    names = {split: _FileNames() for split in (*SPLITS, *OTHER_SPLITS)}
    entries: dict[Split, list[Entry]] = {split: [] for split in SPLITS}
    files: dict[str, File] = {}
    with ThreadPoolExecutor(1, "staging") as writer:  # writes one batch while the next is encoded
        writing: Future[None] | None = None
        while batch := list(islice(images, _BATCH)):
            contents = {}
            for image in batch:
                name = names[image.split].assign(image)
                path, content = f"{image.split}/{name}", encode_png(image)
                contents[staging / path] = content
                files[path] = File(_sha256(content), len(content), image.label, image.split, image.row)
                if image.split not in entries:
                    entries[image.split] = []
                    _make_directory(staging / image.split)
                entries[image.split].append(Entry(image.row, image.label, name))
                if progress:
                    progress(len(files), total)
            if writing:
                writing.result()
            writing = writer.submit(_write_batch, contents)
        if writing:
            writing.result()
    for split, listed in entries.items():
        content = format_lst(listed).encode()
        _write_file(staging / f"{split}.lst", content)
        files[f"{split}.lst"] = File(_sha256(content), len(content))
    return files


def _make_directory(path: Path) -> None:
    with translate_write_errors(path):
        path.mkdir()


def _write_batch(contents: dict[Path, bytes]) -> None:
    for path, content in contents.items():
        _write_file(path, content)


def _write_file(path: Path, content: bytes) -> None:
    with translate_write_errors(path):
        path.write_bytes(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def encode_png(image: LabelledImage) -> bytes:
    """Return the image as an RGB PNG, the same bytes for the same pixels.

    A thumbnail of CIFAR's size takes one block of the disk, compressed or not, and compressing takes longer than
    everything else; a higher level than 1 saves nothing, not even with larger images.
    """
    buffer = io.BytesIO()
    level = 0 if image.pixels.nbytes < _BLOCK_BYTES else 1
    Image.fromarray(image.pixels).save(buffer, "PNG", compress_level=level)
    return buffer.getvalue()


class _FileNames:
    """Assigns safe file names, each of them once."""

    def __init__(self) -> None:
        self._assigned: set[str] = set()

    def assign(self, image: LabelledImage) -> str:
        last = image.name.replace("\\", "/").rsplit("/", 1)[-1]
        stem = _UNSAFE_CHARACTERS.sub("_", last).strip("._-").removesuffix(".png")
        stem = stem[:_MAX_STEM_LENGTH].strip("._-") or "image"
        name = f"{stem}.png"
        if name.lower() in self._assigned:
            name = f"{stem}-{image.row}.png"
        while name.lower() in self._assigned:
            name = f"{stem}-{image.row}-{len(self._assigned)}.png"
        self._assigned.add(name.lower())
        return name

"""The images of some of CIFAR-100's classes, read in one pass and a few megabytes of memory."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.labels import VEHICLES
from training.data.archive_members import NAMES, read_members, translate_read_errors
from training.data.cifar_names import FINE_NAMES
from training.data.cifar_pickles import Array, MalformedPickleError, UnsafePickleError, read_pickle
from training.data.errors import ArchiveCorrupt, ClassNotFound, UnsafeArchive
from training.data.labelled_images import SPLITS, LabelledImage, LabelledImages, Split

_ROW_BYTES = 3 * 32 * 32

FineLabels = tuple[int, ...]


@dataclass(frozen=True)
class CifarSource:
    """The images of some classes, from an archive or a folder; labels count up in the order of ``classes``."""

    archive: Path
    classes: tuple[str, ...] = VEHICLES
    dataset: str = "cifar100"

    def fingerprint(self) -> str:
        """Return the SHA-256 of the archive, or of the folder's files, and the classes."""
        digest = hashlib.sha256()
        with translate_read_errors(self.archive):
            files = [self.archive]
            if self.archive.is_dir():
                files = sorted(path for path in self.archive.rglob("*") if path.name in NAMES and path.is_file())
            for file in files:
                with file.open("rb") as stream:
                    while piece := stream.read(1 << 20):
                        digest.update(piece)
        return f"sha256:{digest.hexdigest()} {','.join(self.classes)}"

    def images(self) -> LabelledImages:
        """Return the images, train before test, in the order of the archive's rows."""
        images = read_classes(self.archive, self.classes)
        return LabelledImages(len(images), iter(images))


def read_classes(archive: Path, classes: Sequence[str] = VEHICLES) -> list[LabelledImage]:
    """Return the images of ``classes``. Raises an ArchiveError, or ClassNotFound with similar names.

    The official archive names its classes in its last member. Their numbers are public, so they are presumed at
    first, and the archive is read again only where its names turn out to be others.
    """
    known = all(name in FINE_NAMES for name in classes)
    presumed = tuple(FINE_NAMES.index(name) for name in classes) if known else ()
    names, images = _read_archive(archive, presumed)
    labels = tuple(_fine_label(names, name) for name in classes)
    if labels != presumed:
        _, images = _read_archive(archive, labels)
    return images


def _fine_label(names: list[str], name: str) -> int:
    if name not in names:
        raise ClassNotFound(name, names)
    return names.index(name)


def _read_archive(archive: Path, labels: FineLabels) -> tuple[list[str], list[LabelledImage]]:
    """Return the archive's class names and the images of ``labels``, train before test."""
    names: list[str] | None = None
    splits: dict[str, list[LabelledImage]] = {}
    for member, stream in read_members(archive):
        try:
            with translate_read_errors(archive):
                content = read_pickle(stream, _refuse_long_string if member == "meta" else _PixelReader(labels))
            if member == "meta":
                names = _class_names(content)
            else:
                split: Split = "train" if member == "train" else "test"
                splits[split] = _labelled_images(content, split, labels)
        except UnsafePickleError as error:
            raise UnsafeArchive(archive, f"it has {error}") from None
        except MalformedPickleError as error:
            raise ArchiveCorrupt(archive, f"{member}: {error}") from None
    missing = [*(split for split in SPLITS if split not in splits), *(["meta"] if names is None else [])]
    if names is None or missing:
        raise ArchiveCorrupt(archive, f"it has no {' and no '.join(missing)}")
    return names, [*splits["train"], *splits["test"]]


def _class_names(meta: object) -> list[str]:
    names = meta.get(b"fine_label_names") if type(meta) is dict else None
    if type(names) is not list or not all(type(name) is bytes for name in names):
        raise MalformedPickleError("no list of class names")
    return [name.decode("utf-8", "replace") for name in names]


def _refuse_long_string(values: list[Any], pieces: Iterator[bytes]) -> object:  # noqa: ARG001 - read_pickle's signature
    raise MalformedPickleError("a long string among the class names")


@dataclass
class _Pixels:
    """How many rows an array had, and those that were kept."""

    rows: int
    kept: NDArray[np.uint8]


@dataclass(frozen=True)
class _PixelReader:
    """Keeps the rows of ``labels`` while the pixels are read."""

    labels: FineLabels

    def __call__(self, values: list[Any], pieces: Iterator[bytes]) -> _Pixels:
        """Read the pixels. In the official archive the labels come before them; otherwise every row is kept."""
        fine_labels = _list_after(values, b"fine_labels")
        selected = None if fine_labels is None else _select_rows(fine_labels, self.labels)
        kept, row, rest = [], 0, b""
        for piece in pieces:
            data = rest + piece if rest else piece
            count = len(data) // _ROW_BYTES
            block = np.frombuffer(data, np.uint8, count * _ROW_BYTES).reshape(count, _ROW_BYTES)
            kept.append(block.copy() if selected is None else block[selected[row : row + count]])
            row, rest = row + count, data[count * _ROW_BYTES :]
        if rest:
            raise MalformedPickleError("half an image at the end of the pixels")
        return _Pixels(row, np.concatenate(kept) if kept else np.empty((0, _ROW_BYTES), np.uint8))


def _list_after(values: list[Any], key: bytes) -> list[Any] | None:
    """Return the list that follows ``key`` among the values read so far."""
    for name, value in pairwise(values):
        if type(name) is bytes and name == key and type(value) is list:
            return value
    return None


def _select_rows(fine_labels: list[Any], labels: FineLabels) -> NDArray[np.bool_]:
    """Return which rows have one of ``labels``."""
    if not all(type(label) is int for label in fine_labels):
        raise MalformedPickleError("labels that are not numbers")
    return np.fromiter((label in labels for label in fine_labels), np.bool_, len(fine_labels))


def _labelled_images(content: object, split: Split, labels: FineLabels) -> list[LabelledImage]:
    if type(content) is not dict:
        raise MalformedPickleError("no dictionary")
    names, fine_labels, array = (content.get(key) for key in (b"filenames", b"fine_labels", b"data"))
    if type(names) is not list or type(fine_labels) is not list or type(array) is not Array:
        raise MalformedPickleError("no filenames, fine_labels or data")
    selected = np.flatnonzero(_select_rows(fine_labels, labels)).tolist()
    if not all(type(name) is bytes for name in names):
        raise MalformedPickleError("names that are not strings")
    count = len(fine_labels)
    if len(names) != count or array.shape != (count, _ROW_BYTES):
        raise MalformedPickleError(f"{count} labels and {len(names)} names for pixels of shape {array.shape[:3]}")
    pixels = _selected_pixels(array.content, count, selected).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return [
        LabelledImage(
            split,
            row,
            name=names[row].decode("utf-8", "replace"),
            label=labels.index(fine_labels[row]),
            pixels=np.ascontiguousarray(image),
        )
        for row, image in zip(selected, pixels, strict=True)
    ]


def _selected_pixels(content: object, rows: int, selected: list[int]) -> NDArray[np.uint8]:
    """Return the selected rows, whether the pixels were read in pieces or are short enough for one string."""
    if type(content) is bytes and len(content) == rows * _ROW_BYTES:
        content = _Pixels(rows, np.frombuffer(content, np.uint8).reshape(rows, _ROW_BYTES))
    if type(content) is not _Pixels or content.rows != rows or len(content.kept) not in {rows, len(selected)}:
        raise MalformedPickleError(f"not the pixels of {rows} images")
    return content.kept if len(content.kept) == len(selected) else content.kept[selected]

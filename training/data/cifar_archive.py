"""The images of some of CIFAR-100's classes and a sample of the others, read in one pass and little memory."""

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
from training.data.other_rows import OtherRows

_ROW_BYTES = 3 * 32 * 32

FineLabels = tuple[int, ...]


@dataclass(frozen=True)
class CifarSource:
    """The images of some classes, from an archive or a folder; labels count up in the order of ``classes``.

    ``others`` is the largest number of images of other classes from the training split; the test split gives half as
    many.
    """

    archive: Path
    classes: tuple[str, ...] = VEHICLES
    dataset: str = "cifar100"
    others: int = 0

    def fingerprint(self) -> str:
        """Return the SHA-256 of the archive, or of the folder's files, the classes and the number of others."""
        digest = hashlib.sha256()
        with translate_read_errors(self.archive):
            files = [self.archive]
            if self.archive.is_dir():
                files = sorted(path for path in self.archive.rglob("*") if path.name in NAMES and path.is_file())
            for file in files:
                with file.open("rb") as stream:
                    while piece := stream.read(1 << 20):
                        digest.update(piece)
        others = f" others:{self.others}" if self.others else ""
        return f"sha256:{digest.hexdigest()} {','.join(self.classes)}{others}"

    def images(self) -> LabelledImages:
        """Return the images in the order of the archive's rows: train, test, and of the other classes the same."""
        images = read_classes(self.archive, self.classes, self.others)
        return LabelledImages(len(images), iter(images))


def read_classes(archive: Path, classes: Sequence[str] = VEHICLES, others: int = 0) -> list[LabelledImage]:
    """Return the images of ``classes``, and ``others`` of other classes, as CifarSource has them.

    Raises an ArchiveError, or ClassNotFound with similar names.

    The official archive names its classes in its last member. Their numbers are public, so they are presumed at
    first, and the archive is read again only where its names turn out to be others.
    """
    known = all(name in FINE_NAMES for name in classes)
    presumed = tuple(FINE_NAMES.index(name) for name in classes) if known else ()
    names, images = _read_archive(archive, presumed, others)
    labels = tuple(_fine_label(names, name) for name in classes)
    if labels != presumed:
        _, images = _read_archive(archive, labels, others)
    return images


def _fine_label(names: list[str], name: str) -> int:
    if name not in names:
        raise ClassNotFound(name, names)
    return names.index(name)


def _read_archive(archive: Path, labels: FineLabels, others: int) -> tuple[list[str], list[LabelledImage]]:
    """Return the archive's class names and the images of ``labels``, train before test, then the others."""
    names: list[str] | None = None
    splits: dict[str, tuple[list[LabelledImage], list[LabelledImage]]] = {}
    for member, stream in read_members(archive):
        try:
            reader = _PixelReader(labels, others // 2 if member == "test" else others)
            with translate_read_errors(archive):
                content = read_pickle(stream, _refuse_long_string if member == "meta" else reader)
            if member == "meta":
                names = _class_names(content)
            else:
                split: Split = "train" if member == "train" else "test"
                splits[split] = _labelled_images(content, split, reader)
        except UnsafePickleError as error:
            raise UnsafeArchive(archive, f"it has {error}") from None
        except MalformedPickleError as error:
            raise ArchiveCorrupt(archive, f"{member}: {error}") from None
    missing = [*(split for split in SPLITS if split not in splits), *(["meta"] if names is None else [])]
    if names is None or missing:
        raise ArchiveCorrupt(archive, f"it has no {' and no '.join(missing)}")
    (train, other), (test, other_test) = splits["train"], splits["test"]
    return names, [*train, *test, *other, *other_test]


def _class_names(meta: object) -> list[str]:
    names = meta.get(b"fine_label_names") if type(meta) is dict else None
    if type(names) is not list or not all(type(name) is bytes for name in names):
        raise MalformedPickleError("no list of class names")
    return [name.decode("utf-8", "replace") for name in names]


def _refuse_long_string(values: list[Any], pieces: Iterator[bytes]) -> object:  # noqa: ARG001 - read_pickle's signature
    raise MalformedPickleError("a long string among the class names")


@dataclass
class _Pixels:
    """How many rows an array had, those that were kept, and a sample of the others."""

    rows: int
    kept: NDArray[np.uint8]
    others: OtherRows


@dataclass(frozen=True)
class _PixelReader:
    """Keeps the rows of ``labels``, and a sample of others, while the pixels are read."""

    labels: FineLabels
    others: int = 0

    def __call__(self, values: list[Any], pieces: Iterator[bytes]) -> _Pixels:
        """Read the pixels. In the official archive the labels come before them; otherwise every row is kept."""
        fine_labels = _list_after(values, b"fine_labels")
        selected = None if fine_labels is None else _select_rows(fine_labels, self.labels)
        others = self.other_rows()
        kept, row, rest = [], 0, b""
        for piece in pieces:
            data = rest + piece if rest else piece
            count = len(data) // _ROW_BYTES
            block = np.frombuffer(data, np.uint8, count * _ROW_BYTES).reshape(count, _ROW_BYTES)
            kept.append(block.copy() if selected is None else block[selected[row : row + count]])
            if fine_labels is not None and row + count <= len(fine_labels):
                others.add(block, fine_labels[row : row + count], row)
            row, rest = row + count, data[count * _ROW_BYTES :]
        if rest:
            raise MalformedPickleError("half an image at the end of the pixels")
        return _Pixels(row, np.concatenate(kept) if kept else np.empty((0, _ROW_BYTES), np.uint8), others)

    def other_rows(self) -> OtherRows:
        """Return an empty sample."""
        return OtherRows(self.labels, self.others)


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


def _labelled_images(
    content: object, split: Split, reader: _PixelReader
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Return a split's images of the two classes, and of others."""
    if type(content) is not dict:
        raise MalformedPickleError("no dictionary")
    names, fine_labels, array = (content.get(key) for key in (b"filenames", b"fine_labels", b"data"))
    if type(names) is not list or type(fine_labels) is not list or type(array) is not Array:
        raise MalformedPickleError("no filenames, fine_labels or data")
    labels = reader.labels
    selected = np.flatnonzero(_select_rows(fine_labels, labels)).tolist()
    if not all(type(name) is bytes for name in names):
        raise MalformedPickleError("names that are not strings")
    count = len(fine_labels)
    if len(names) != count or array.shape != (count, _ROW_BYTES):
        raise MalformedPickleError(f"{count} labels and {len(names)} names for pixels of shape {array.shape[:3]}")
    pixels, others = _selected_pixels(array.content, fine_labels, selected, reader)

    def image(split: Split, row: int, label: int, flat: NDArray[np.uint8]) -> LabelledImage:
        upright = np.ascontiguousarray(flat.reshape(3, 32, 32).transpose(1, 2, 0))
        return LabelledImage(split, row, name=names[row].decode("utf-8", "replace"), label=label, pixels=upright)

    other: Split = "other" if split == "train" else "other_test"
    return (
        [image(split, row, labels.index(fine_labels[row]), flat) for row, flat in zip(selected, pixels, strict=True)],
        [image(other, row, len(labels), flat) for row, flat in others.rows()],
    )


def _selected_pixels(
    content: object, fine_labels: list[int], selected: list[int], reader: _PixelReader
) -> tuple[NDArray[np.uint8], OtherRows]:
    """Return the selected rows and others, whether the pixels were read in pieces or fit into one string."""
    rows = len(fine_labels)
    if type(content) is bytes and len(content) == rows * _ROW_BYTES:
        content = _Pixels(rows, np.frombuffer(content, np.uint8).reshape(rows, _ROW_BYTES), reader.other_rows())
    if type(content) is not _Pixels or content.rows != rows or len(content.kept) not in {rows, len(selected)}:
        raise MalformedPickleError(f"not the pixels of {rows} images")
    if len(content.kept) == len(selected):
        return content.kept, content.others
    others = reader.other_rows()
    others.add(content.kept, fine_labels, 0)
    return content.kept[selected], others

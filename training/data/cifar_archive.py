"""CIFAR-100's python archive: its vehicles, read in one pass and a few megabytes of memory."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.archive_members import members, reading
from training.data.cifar_names import FINE_NAMES
from training.data.cifar_pickles import Array, MalformedPickleError, UnsafePickleError, read_pickle
from training.data.errors import ArchiveCorrupt, ClassNotFound, UnsafeArchive
from training.data.labelled_images import Picture, Pictures, Split

VEHICLES = ("bicycle", "motorcycle")
_FOLDER = "cifar-100-python"
_META = f"{_FOLDER}/meta"
_SPLITS: dict[str, Split] = {f"{_FOLDER}/train": "train", f"{_FOLDER}/test": "test"}
_ROW = 3 * 32 * 32

Labels = tuple[int, ...]


@dataclass(frozen=True)
class CifarSource:
    """The pictures of some of CIFAR-100's classes; their labels count up in the order of ``classes``."""

    archive: Path
    classes: tuple[str, ...] = VEHICLES
    dataset: str = "cifar100"

    def fingerprint(self) -> str:
        """Return the archive's SHA-256 and the classes."""
        with reading(self.archive), self.archive.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()} {','.join(self.classes)}"

    def pictures(self) -> Pictures:
        """Return the pictures, train before test, in the order of the archive's rows."""
        found = read_classes(self.archive, self.classes)
        return Pictures(len(found), iter(found))


def read_classes(archive: Path, classes: Sequence[str] = VEHICLES) -> list[Picture]:
    """Return the pictures of ``classes``. Raises an ArchiveError, or ClassNotFound with names that come close.

    The official archive names its classes in its last member. Their numbers are public, so they are presumed at
    first, and the archive is read again only where its names turn out to be others.
    """
    known = all(name in FINE_NAMES for name in classes)
    guess = tuple(FINE_NAMES.index(name) for name in classes) if known else ()
    names, pictures = _scan(archive, guess)
    labels = tuple(_label(names, name) for name in classes)
    if labels != guess:
        _, pictures = _scan(archive, labels)
    return pictures


def _label(names: list[str], name: str) -> int:
    if name not in names:
        raise ClassNotFound(name, names)
    return names.index(name)


def _scan(archive: Path, labels: Labels) -> tuple[list[str], list[Picture]]:
    """Return the archive's class names and the pictures of ``labels``, train before test."""
    names: list[str] | None = None
    splits: dict[Split, list[Picture]] = {}
    for member, stream in members(archive, {_META, *_SPLITS}):
        try:
            with reading(archive):
                content = read_pickle(stream, _refuse if member == _META else _Selection(labels))
            if member == _META:
                names = _names(content)
            else:
                splits[_SPLITS[member]] = _split(content, _SPLITS[member], labels)
        except UnsafePickleError as error:
            raise UnsafeArchive(archive, f"it has {error}") from None
        except MalformedPickleError as error:
            raise ArchiveCorrupt(archive, f"{member}: {error}") from None
    if names is None or len(splits) != len(_SPLITS):
        missing = [
            m for m, found in ((_META, names), *((m, splits.get(s)) for m, s in _SPLITS.items())) if found is None
        ]
        raise ArchiveCorrupt(archive, f"it has no {' and no '.join(missing)}")
    return names, [*splits["train"], *splits["test"]]


def _names(meta: object) -> list[str]:
    names = meta.get(b"fine_label_names") if type(meta) is dict else None
    if type(names) is not list or not all(type(name) is bytes for name in names):
        raise MalformedPickleError("no list of class names")
    return [name.decode("utf-8", "replace") for name in names]


def _refuse(stack: list[Any], pieces: Iterator[bytes], size: int) -> object:  # noqa: ARG001
    raise MalformedPickleError(f"a string of {size:,} bytes among the class names")


@dataclass
class _Pixels:
    """The rows that were kept of an array, and how many it had."""

    rows: int
    kept: NDArray[np.uint8]


@dataclass(frozen=True)
class _Selection:
    """Keeps the rows of ``labels`` while the pixels stream by."""

    labels: Labels

    def __call__(self, stack: list[Any], pieces: Iterator[bytes], size: int) -> _Pixels:  # noqa: ARG002
        """Take the pixels. The labels come before them in the official archive; else every row is kept."""
        known = _value(stack, b"fine_labels")
        mask = None if known is None else self.mask(known)
        kept, row, rest = [], 0, b""
        for piece in pieces:
            data = rest + piece if rest else piece
            count = len(data) // _ROW
            block = np.frombuffer(data, np.uint8, count * _ROW).reshape(count, _ROW)
            kept.append(block.copy() if mask is None else block[mask[row : row + count]])
            row, rest = row + count, data[count * _ROW :]
        if rest:
            raise MalformedPickleError("half a picture at the end of the pixels")
        return _Pixels(row, np.concatenate(kept) if kept else np.empty((0, _ROW), np.uint8))

    def mask(self, fine_labels: list[Any]) -> NDArray[np.bool_]:
        """Return which rows are wanted."""
        return np.fromiter((label in self.labels for label in fine_labels), np.bool_, len(fine_labels))


def _value(stack: list[Any], key: bytes) -> list[Any] | None:
    """Return the list that follows ``key`` among the values that a pickle has given so far."""
    for name, value in pairwise(stack):
        if type(name) is bytes and name == key and type(value) is list:
            return value
    return None


def _split(content: object, split: Split, labels: Labels) -> list[Picture]:
    if type(content) is not dict:
        raise MalformedPickleError("no dictionary")
    names, fine, array = (content.get(key) for key in (b"filenames", b"fine_labels", b"data"))
    if type(names) is not list or type(fine) is not list or not isinstance(array, Array):
        raise MalformedPickleError("no filenames, fine_labels or data")
    if not all(type(label) is int for label in fine) or not all(type(name) is bytes for name in names):
        raise MalformedPickleError("labels that are no numbers, or names that are no strings")
    if len(names) != len(fine) or array.shape != (len(fine), _ROW):
        raise MalformedPickleError(f"{len(fine)} labels and {len(names)} names for pixels of shape {array.shape}")
    wanted = np.flatnonzero(_Selection(labels).mask(fine)).tolist()
    pixels = _kept(array.content, len(fine), wanted)
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return [
        Picture(split, row, names[row].decode("utf-8", "replace"), labels.index(fine[row]), np.ascontiguousarray(image))
        for row, image in zip(wanted, images, strict=True)
    ]


def _kept(content: object, rows: int, wanted: list[int]) -> NDArray[np.uint8]:
    """Return the wanted rows, whether the pixels streamed by or were short enough to come as one string."""
    if type(content) is bytes and len(content) == rows * _ROW:
        content = _Pixels(rows, np.frombuffer(content, np.uint8).reshape(rows, _ROW))
    if not isinstance(content, _Pixels) or content.rows != rows or len(content.kept) not in {rows, len(wanted)}:
        raise MalformedPickleError(f"not the pixels of {rows} pictures")
    return content.kept if len(content.kept) == len(wanted) else content.kept[wanted]

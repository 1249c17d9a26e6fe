"""Small archives in the layout of CIFAR-100's, honest ones and others."""

import gzip
import io
import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.cifar_names import FINE_NAMES
from training.data.synthetic import render

FOLDER = "cifar-100-python"
ROWS = 40

Members = dict[str, bytes]


def split(rows: int, seed: int, names: tuple[str, ...] = FINE_NAMES) -> dict[bytes, Any]:
    """Return a split as CIFAR-100 pickles it: every other row a vehicle, the rest of other classes."""
    random = np.random.default_rng(seed)
    vehicles = [names.index(name) for name in ("bicycle", "motorcycle")]
    labels = [vehicles[row // 2 % 2] if row % 2 == 0 else row % len(names) for row in range(rows)]
    return {
        b"filenames": [f"{names[label]}_s_{row:06d}.png".encode() for row, label in enumerate(labels)],
        b"batch_label": b"a batch",
        b"fine_labels": labels,
        b"coarse_labels": [0] * rows,
        b"data": random.integers(0, 256, (rows, 3072), dtype=np.uint8),
    }


def members(names: tuple[str, ...] = FINE_NAMES, rows: int = ROWS) -> Members:
    """Return the three pickles of a small archive."""
    meta = {b"fine_label_names": [name.encode() for name in names], b"coarse_label_names": [b"vehicles"]}
    contents = {"meta": meta, "test": split(rows // 2, 2, names), "train": split(rows, 1, names)}
    return {f"{FOLDER}/{name}": pickle.dumps(content, 2) for name, content in contents.items()}


def rendered_members(train: int, test: int) -> Members:
    """Return the three pickles of an archive of rendered bicycles and motorcycles, which the shipped model knows."""
    packed = members(rows=2)
    for number, (name, rows) in enumerate({"train": train, "test": test}.items()):
        content = split(2 * rows, number)
        pixels = [render(row % 2, number * train + row, 32) for row in range(rows)]
        content[b"data"][::2] = [each.transpose(2, 0, 1).ravel() for each in pixels]
        packed[f"{FOLDER}/{name}"] = pickle.dumps(content, 2)
    return packed


def pack(path: Path, contents: Mapping[str, bytes], *more: tarfile.TarInfo) -> Path:
    """Write a .tar.gz with ``contents`` and, first, ``more`` members without content."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for info in more:
            tar.addfile(info)
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def gzip_of(path: Path, data: bytes) -> Path:
    """Write ``data`` compressed."""
    path.write_bytes(gzip.compress(data, 1))
    return path


def pixels_of(rows: int, seed: int, row: int) -> NDArray[np.uint8]:
    """Return the image that a small archive has in a row, (32, 32, 3)."""
    image: NDArray[np.uint8] = split(rows, seed)[b"data"][row].reshape(3, 32, 32).transpose(1, 2, 0)
    return image


def python_2_pickle(content: Mapping[bytes, object]) -> bytes:
    """Write a dictionary as Python 2's cPickle did: byte strings, and the array's content as one of them."""

    def string(text: bytes) -> bytes:
        return b"U" + bytes([len(text)]) + text if len(text) < 256 else b"T" + len(text).to_bytes(4, "little") + text

    def value(item: object) -> bytes:
        if isinstance(item, list):
            return b"](" + b"".join(map(value, item)) + b"e"
        if isinstance(item, int):
            return b"K" + bytes([item])
        if isinstance(item, bytes):
            return string(item)
        assert isinstance(item, np.ndarray)
        shape = b"".join(b"M" + side.to_bytes(2, "little") for side in item.shape) + b"\x86"
        dtype = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        blank = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        return blank + b"(K\x01" + shape + dtype + b"\x89" + string(item.tobytes()) + b"tb"

    return b"\x80\x02}(" + b"".join(string(key) + value(item) for key, item in content.items()) + b"u."

"""Fuzz targets that read files and objects: archives, pickles, lists, manifests, captures, images."""

import gzip
import io
import pickle
import tarfile
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tests.monitoring.captures import file, line
from tests.quality.fuzz.services import images
from tests.quality.fuzz.target import JSON_WORDS, Target

_FOLDER = "cifar-100-python"
_PICKLE_WORDS = (
    b"cos\nsystem\n",
    b"c_codecs\nencode\n",
    b"\x8c\x02os",
    b"\x93",
    b"R",
    b"b",
    b"q\xff",
    b"h\x00",
    b"\x86",
    b"\x85" * 5000,
    b"s",
    b"cnumpy\ndtype\n",
    b"X\xff\xff\xff\x7f",
    b"(",
)


def _split(protocol: int, rows: int = 4) -> bytes:
    content = {
        b"filenames": [b"bike_s_%06d.png" % row for row in range(rows)],
        b"fine_labels": [8 if row % 2 else 48 for row in range(rows)],
        b"data": np.arange(rows * 3072, dtype=np.uint32).astype(np.uint8).reshape(rows, 3072),
    }
    return pickle.dumps(content, protocol)


def _meta() -> bytes:
    from training.data.cifar_names import FINE_NAMES  # noqa: PLC0415

    return pickle.dumps({b"fine_label_names": [name.encode() for name in FINE_NAMES]}, 2)


def _tar(rows: int = 4) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in {"train": _split(2, rows), "test": _split(2, rows), "meta": _meta()}.items():
            info = tarfile.TarInfo(f"{_FOLDER}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _zip(compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in {"train": _split(2), "test": _split(2), "meta": _meta()}.items():
            archive.writestr(name, content)
    return out.getvalue()


def input_path() -> Path:
    """Return a path for inputs that must be files, in memory where the system has such a folder."""
    shared = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="scones-fuzz-", dir=shared if shared.is_dir() else None)) / "input"


def archive() -> Target:
    """An archive as it is downloaded: damage to what gzip holds."""
    from training.data.cifar_archive import read_classes  # noqa: PLC0415 - each target loads what it needs
    from training.data.errors import DataError  # noqa: PLC0415

    path = input_path()

    def one(data: bytes) -> None:
        path.write_bytes(data)
        read_classes(path)

    seeds = (
        gzip.compress(_tar(), 1, mtime=0),
        gzip.compress(_tar(1), 0, mtime=0),
        _tar(1),
        _zip(),
        _zip(zipfile.ZIP_DEFLATED),
    )
    return Target(one, (DataError,), seeds, (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"../"), longest=200_000)


def archive_members() -> Target:
    """What is in an archive whose checksum is right: paths that lead out of it, links, members of any size."""
    from training.data.cifar_archive import read_classes  # noqa: PLC0415
    from training.data.errors import DataError  # noqa: PLC0415

    path = input_path()
    words = (
        b"../../../../tmp/x",
        b"/etc/passwd",
        b"0" * 11,
        b"7" * 11,
        b"\x80" + b"\xff" * 11,
        b"2",
        b"L",
        b"x",
        b"1" * 12,
        b"ustar",
    )

    def one(data: bytes) -> None:
        path.write_bytes(gzip.compress(data, 1))
        read_classes(path)

    return Target(one, (DataError,), (_tar(), _tar(1)), words, longest=100_000)


def pickles() -> Target:
    """A split's pickle, without the archive around it."""
    from training.data.cifar_archive import _PixelReader  # noqa: PLC0415
    from training.data.cifar_pickles import MalformedPickleError, UnsafePickleError, read_pickle  # noqa: PLC0415

    def one(data: bytes) -> object:
        return read_pickle(io.BytesIO(data), _PixelReader((8, 48)))

    shared = b"\x80\x02K\x00\x85" + b"".join(b"q%ch%c\x86" % (level, level) for level in range(40))
    shared_key = shared + b"q\xf0}(h\xf0K\x01u."
    protocols = tuple(_split(protocol, 1) for protocol in (2, 3, 4, 5))
    seeds = (*protocols, _split(2, 24), pickle.dumps(print, 2), _meta(), shared_key)
    return Target(one, (UnsafePickleError, MalformedPickleError), seeds, _PICKLE_WORDS, longest=100_000)


def lst() -> Target:
    """A .lst file."""
    from core.errors import MalformedLst  # noqa: PLC0415
    from core.lst_files import read_lst  # noqa: PLC0415

    path = input_path()

    def one(data: bytes) -> None:
        path.write_bytes(data)
        for entry in read_lst(path):
            assert not entry.file.startswith("/")
            assert ".." not in entry.file.split("/")

    seeds = (b"16\t0\tbike_s_000682.png\n30\t1\tb/c.png\n", b"1\t0\ta.png\r\n2\t1\tb.png")
    return Target(one, (MalformedLst,), seeds, (b"../", b"\xc2\xa0", b"-1", b"1e3", b"\x85", b"9" * 5000))


def manifest() -> Target:
    """The manifest of a staged directory."""
    from training.data.dataset_manifest import MANIFEST, File, Manifest, read_manifest  # noqa: PLC0415
    from training.data.errors import NotStaged  # noqa: PLC0415

    path = input_path().with_name(MANIFEST)

    def one(data: bytes) -> None:
        path.write_bytes(data)
        read_manifest(path.parent).to_json()

    files = {"train/a.png": File("0" * 64, 7, 0, "train", 3), "train.lst": File("1" * 64, 9)}
    seed = Manifest("cifar100", ("bicycle", "motorcycle"), "sha256:0", "scones", files).to_json().encode()
    return Target(one, (NotStaged,), (seed,), (*JSON_WORDS, b'"../x"', b'"files"', b'"size"'))


class _OneFile:
    """An S3 that lists one capture file and has the content it is given."""

    content = b""

    def get_paginator(self, _operation: str) -> "_OneFile":
        """Return the paginator of list_objects_v2, which this is itself."""
        return self

    def paginate(self, **parameters: Any) -> list[dict[str, Any]]:
        """Return one page."""
        return [{"Contents": [{"Key": parameters["Prefix"] + "00-00-000-a.jsonl", "Size": len(self.content)}]}]

    def get_object(self, **_parameters: Any) -> dict[str, Any]:
        """Return the file."""
        return {"Body": io.BytesIO(self.content)}


def capture() -> Target:
    """A capture file, packed or not: nothing in it may stop the reader."""
    from monitoring.capture import CaptureLocation, CaptureReader  # noqa: PLC0415
    from monitoring.window import InferenceWindow  # noqa: PLC0415

    s3, when = _OneFile(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    reading = CaptureReader(s3, CaptureLocation("b", "p", "e"), when, when, workers=1)

    def one(data: bytes) -> None:
        s3.content = data
        InferenceWindow.of(reading)
        reading.counts.sentences()

    lines = file(*(line(str(number), when, "[0.5, 0.5]", image=b"hi") for number in range(2)))
    csv = lines.replace(b"[0.5, 0.5]", b"0.9,0.1").replace(b'"encoding":"JSON"', b'"encoding":"CSV"')
    times = (b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-01:00")
    odd = lines.replace(b"2026-03-01T12:00:00Z", times[0]) + lines.replace(b"[0.5, 0.5]", b"[1" + b"0" * 400 + b", 0]")
    words = (*JSON_WORDS, *times, b'"eventVersion"', b"\n", b"\x1f\x8b", b"1" + b"0" * 400)
    return Target(one, (), (lines, csv, odd, gzip.compress(lines, 1, mtime=0)), words)


def serving() -> Target:
    """The model server's decoder and its two headers."""
    from training.serving import app  # noqa: PLC0415
    from training.serving.errors import ServingError  # noqa: PLC0415
    from training.serving.model import (  # noqa: PLC0415
        Preprocessing,
        decode,
        to_pixels,
    )

    spec = Preprocessing(32)

    def one(data: bytes) -> None:
        head = data[:64].decode("latin-1")
        for check in (app.check_content_type, app.choose_response_type):
            try:
                check(head)
            except ServingError:
                continue
        assert to_pixels(decode(data), spec).shape == (32, 32, 3)

    words = (
        b"IHDR",
        b"\xff\xda",
        b"\xff\xd9",
        b"ispe",
        b"avif",
        b"Exif\0\0MM\0*",
        b"q=nan",
        b"application/json;q=",
        b"*/*,",
    )
    return Target(one, (ServingError,), images(), words, longest=100_000)


def messages() -> Target:
    """What Step Functions and the queues hand on: causes of failures, in JSON within JSON."""
    from core.json_objects import error_message  # noqa: PLC0415

    seeds = (b'{"errorMessage": "no", "errorType": "ImageNotFound"}', b"States.Timeout", b"[]")
    return Target(lambda data: error_message(data.decode("utf-8", "replace")), (), seeds, JSON_WORDS)

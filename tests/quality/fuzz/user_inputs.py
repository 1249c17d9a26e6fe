"""Fuzz targets for what users and their uploads bring: model archives, labels, environment variables, file names."""

import gzip
import io
import json
import os
import shutil
import tarfile
import unicodedata
import zlib

from core.errors import SconesError
from core.json_objects import parse_json_object
from core.labels import VEHICLES
from tests.quality.fuzz.readers import input_path
from tests.quality.fuzz.target import JSON_WORDS, Target

_ENVIRONMENT_WORDS = (
    b"SCONES_TARGET=", b"SCONES_LABELS=", b"SCONES_HOME=", b"SCONES_STACK=", b"SCONES_LOCALSTACK_URL=http://",
    b"SCONES_LOCALSTACK_PORT=", b"SCONES_SAGEMAKER_PORT=", b"AWS_REGION=", b"~", b"99999999", b",", b"\xc3\xa9", b"%s",
)  # fmt: skip


def _model(size: int | None = None, name: str = "model.onnx", kind: bytes = tarfile.REGTYPE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size, info.type = 4, kind
        tar.addfile(info, io.BytesIO(b"onnx"))
    data = bytearray(out.getvalue())
    if size is not None:
        data[124:136] = size.to_bytes(12, "big", signed=True)
    return bytes(data)


def model_archive() -> Target:
    """A model.tar.gz: negative sizes, deep folders, sparse maps, links, paths that lead out of it."""
    from emulation.sagemaker.hosting.model_artifacts import ArchiveLimits, unpack  # noqa: PLC0415

    path = input_path()
    limits = ArchiveLimits(stored=1 << 20, unpacked=1 << 20, members=100)

    def one(data: bytes) -> None:
        path.write_bytes(gzip.compress(data, 1))
        into = path.with_name("unpacked")
        try:
            unpack(path, into, limits)
            assert sum(file.stat().st_size for file in into.rglob("*") if file.is_file()) <= limits.unpacked
        finally:
            shutil.rmtree(into, ignore_errors=True)

    seeds = (
        _model(),
        _model(-(10**6)),
        _model(10**15),
        _model(name="a/" * 1500 + "m"),
        _model(name="../x"),
        _model(kind=tarfile.SYMTYPE),
        _model(kind=tarfile.GNUTYPE_SPARSE),
    )
    words = (
        b"GNU.sparse.map=0,1",
        b"GNU.sparse.size=9999999999",
        b"\x80" + b"\xff" * 11,
        b"S",
        b"L",
        b"x",
        b"../",
        b"/",
    )
    allowed = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, zlib.error)
    return Target(one, allowed, seeds, words, longest=100_000)


def review_labels() -> Target:
    """A file of labels that a person, the contact sheet or a spreadsheet has written, in any encoding."""
    from review.labels import read_label_file  # noqa: PLC0415

    def one(data: bytes) -> None:
        labels = read_label_file(data, "labels.txt", VEHICLES)
        assert set(labels.values()) <= {*VEHICLES, "neither"}

    seeds = (
        b"incoming/a.png=bicycle\nb=c.png=neither\n",
        "s3://bücket/\u2028=motorcycle".encode(),
        "\ufeffa.png=bicycle\r\n".encode(),
        "a.png=Bicycle\r\n".encode("utf-16"),
        b'{"s3_key": "a.png", "label": "neither", "s3_bucket": "b"}\n',
        b's3_key,label\n"a,b.png",bicycle\n',
    )
    words = (b"=bicycle", b"\xe2\x80\xa8", b"\r", b"=neither\n", b"{", b'"label": "bicycle"', b"\xef\xbb\xbf")
    return Target(one, (SconesError,), seeds, words)


def environment() -> Target:
    """The environment variables of the command line, one a line."""
    from scones.settings import Settings  # noqa: PLC0415

    def one(data: bytes) -> None:
        lines = data.decode("utf-8", "surrogateescape").replace("\0", "").split("\n")
        Settings.from_environment({name: value for name, _, value in (line.partition("=") for line in lines)})

    seeds = (
        b"SCONES_TARGET=local\nSCONES_STACK=scones\nAWS_REGION=eu-west-1",
        b"SCONES_LABELS=apple,orange\nSCONES_LOCALSTACK_PORT=4566\nSCONES_HOME=~/x",
    )
    return Target(one, (SconesError,), seeds, _ENVIRONMENT_WORDS)


def file_names() -> Target:
    """The name of a file in a folder of images: each is found, and becomes a key that S3 takes."""
    from scones.image_inputs import SkippedInput, _key, walk  # noqa: PLC0415

    folder = input_path().parent / "images"

    def one(data: bytes) -> None:
        name = data.replace(b"/", b"_").replace(b"\0", b"")[:200] + b".png"
        folder.mkdir()
        try:
            with open(os.path.join(os.fsencode(folder), name), "wb"):  # noqa: PTH118, PTH123 - a name of bytes
                pass
            (entry,) = walk(folder)
            assert isinstance(entry, SkippedInput) == name.startswith(b".")
            if isinstance(entry, SkippedInput):
                return
            keys = [_key(entry.path.relative_to(folder)).encode("utf-8")]
            assert all(0 < len(key) <= 1024 for key in keys)
        finally:
            shutil.rmtree(folder)

    words = (b"\xff", b"\x1b[31m", b"\n", b"\xe2\x80\xae", b" ", b".", b"..", b"=HYPERLINK(", b"%2F", b"\xc3")
    return Target(one, (SconesError,), (b"bicycle", "vélo".encode(), b"a b+c"), words)


def review_messages() -> Target:
    """A message of the review or the failure queue, and what a reviewer's page is shown of it."""
    from core.queues import Message  # noqa: PLC0415
    from review.failures import _failure  # noqa: PLC0415
    from review.tickets import Tickets  # noqa: PLC0415

    tickets = Tickets(b"secret")

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        message = Message("id", "receipt", parse_json_object(text))
        assert tickets.read(tickets.sign(message)) == message
        shown = [str(message.image), message.inferences, message.execution, _failure(message).to_dict()]
        json.dumps(shown, allow_nan=False, ensure_ascii=False).encode()

    seeds = (
        b'{"s3_bucket": "b", "s3_key": "k", "inferences": [0.7, 0.3], "cause": "{\\"errorMessage\\": \\"low\\"}"}',
        b'{"execution_arn": "arn:e", "input": {"s3_bucket": "b", "s3_key": "k"}, "error": "E", "cause": ""}',
    )
    return Target(one, (), seeds, (*JSON_WORDS, b'"cause"', b'"input"', b'"execution_arn"'))


def batch_manifest() -> Target:
    """A list of images, in every form: lists, lines, CSV, S3 Inventory, augmented manifests; also gzipped."""
    from scones.manifests import read_manifest  # noqa: PLC0415

    inventory = json.dumps(
        {
            "sourceBucket": "b",
            "destinationBucket": "arn:aws:s3:::d",
            "fileFormat": "CSV",
            "fileSchema": "Bucket, Key",
            "files": [{"key": "x.csv.gz", "size": 10}],
        }
    ).encode()

    def read_object(_uri: object) -> bytes:
        return gzip.compress(b'"b","a%20b.png"\n', mtime=0)

    def one(data: bytes) -> None:
        content = read_manifest(data, "manifest.json", "bucket", read_object)
        assert len(set(content.images)) == len(content.images)
        assert all(image.s3_bucket and image.s3_key for image in content.images)

    seeds = (
        b'["a.png", "s3://b/c.png"]',
        b'[{"s3_key": "a.png"}, {"Key": "b", "Bucket": "x"}]',
        b'{"source-ref": "s3://b/a.png", "label": 0}\n{"source-ref": "s3://b/b.png"}\n',
        b"s3_key,label\na.png,bicycle\n",
        '\ufeff["a.png"]'.encode(),
        '["a.png"]'.encode("utf-16"),
        inventory,
        gzip.compress(b'["a.png"]', mtime=0),
    )
    words = (*JSON_WORDS, b'"s3_key"', b'"source-ref"', b"s3://", b",", b'"', b"\xff\xfe", b"\x1f\x8b", b"\n")
    return Target(one, (SconesError,), seeds, words, longest=100_000)


def terminal() -> Target:
    """A key or a message from outside, printed as commands do: no control character is left, and no formula."""
    from scones import console  # noqa: PLC0415
    from scones.batch_results import csv_cell  # noqa: PLC0415

    written = io.StringIO()
    console.out.file = console.err.file = written

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        written.seek(0)
        written.truncate()
        console.print_line(text)
        console.print_values({"key": text})
        unsafe = {each for each in written.getvalue() if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
        assert unsafe <= {"\n"}, unsafe
        assert not str(csv_cell(text)).startswith(("=", "+", "-", "@", "\t", "\r"))

    seeds = (
        b"incoming/a.png",
        b"\x1b[31mred\x1b[0m",
        "a\u202egnp.exe\u2028[bold]".encode(),
        b"=HYPERLINK(1)",
        b"\xff\xfe",
    )
    words = (
        b"\x1b]8;;http://x\x07",
        b"\x9b31m",
        b"[/]",
        b"[red]",
        b"\r",
        b"\x08",
        b"+1",
        b"-1",
        b"@x",
        b"\xe2\x80\xae",
    )
    return Target(one, (), seeds, words, longest=400)

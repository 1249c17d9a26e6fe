"""Model artifacts are unpacked once per version, and nothing but plain files within limits."""

import asyncio
import gzip
import io
import struct
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from emulation.sagemaker.errors import LaunchFailed
from emulation.sagemaker.hosting.model_artifacts import ArchiveLimits, ModelArtifacts, unpack
from tests.emulation.fakes.bucket import BucketInMemory
from tests.emulation.sagemaker.emulator import archive

LIMITS = ArchiveLimits(stored=100_000, unpacked=1_000_000, members=50)


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def negative_size() -> bytes:
    """An archive whose only member says that it has a negative size, which would add to what is allowed."""
    tar = bytearray(gzip.decompress(packed((link("x", "", tarfile.REGTYPE), b""))))
    tar[124:136] = (-(10**6)).to_bytes(12, "big", signed=True)
    checksum = sum(tar[:148]) + 8 * ord(" ") + sum(tar[156:512])
    tar[148:156] = b"%06o\0 " % checksum
    return gzip.compress(bytes(tar))


def forged_long_name() -> bytes:
    """A header that says that four gigabytes of file name follow."""
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 4 * 1024**3
    return gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)


def sparse_map(entries: int) -> bytes:
    """A sparse file whose map, in the form of GNU tar 1.0, has so many entries."""
    numbers = b"%d\n" % entries + b"1000\n1000\n" * entries
    member = tarfile.TarInfo("x")
    member.size = len(numbers) + -len(numbers) % 512
    member.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "x",
        "GNU.sparse.realsize": "9",
    }
    padding = b"\0" * (-len(numbers) % 512)
    return gzip.compress(member.tobuf(tarfile.PAX_FORMAT) + numbers + padding + b"\0" * 1024)


def test_an_archive_is_unpacked_with_its_folders(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(archive({"model.json": b"{}", "./code/sub/x.py": b"pass"}))
    unpack(tmp_path / "a.tar.gz", tmp_path / "out", LIMITS)
    result = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert result == {"model.json", "code/sub/x.py"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(archive({"../x": b""}), id="leads out"),
        pytest.param(archive({"a/../../x": b""}), id="leads out later"),
        pytest.param(archive({"/etc/x": b""}), id="absolute"),
        pytest.param(archive({"..\\x": b""}), id="leads out on Windows"),
        pytest.param(packed((link("x", "/etc/passwd", tarfile.SYMTYPE), b"")), id="symlink"),
        pytest.param(packed((link("x", "/etc/passwd", tarfile.LNKTYPE), b"")), id="hard link"),
        pytest.param(packed((link("x", "", tarfile.CHRTYPE), b"")), id="device"),
        pytest.param(packed((link("x", "", tarfile.FIFOTYPE), b"")), id="fifo"),
        pytest.param(archive({"x": b"0" * 2_000_000}), id="too much"),
        pytest.param(archive({f"{index}": b"" for index in range(60)}), id="too many"),
        pytest.param(archive({"a/" * 1500 + "x": b""}), id="too deep"),
        pytest.param(packed((link("x", "", tarfile.GNUTYPE_SPARSE), b"")), id="sparse"),
        pytest.param(negative_size(), id="negative size"),
        pytest.param(forged_long_name(), id="forged header"),
        pytest.param(gzip.compress(b"no tar at all" * 100), id="no tar"),
        pytest.param(archive({"a/" * 1500 + "x": b""}), id="1,500 folders deep"),
        pytest.param(sparse_map(10), id="sparse"),
        pytest.param(sparse_map(1_000_000), id="sparse, of a large map"),
        pytest.param(gzip.compress(b"")[:-4], id="cut gzip"),
        pytest.param(archive({"x": b"0" * 5000})[:-40], id="cut archive"),
        pytest.param(struct.pack(">I", 7), id="no gzip"),
        pytest.param(archive({"x": b"", "x/y": b""}), id="file as folder"),
    ],
)
def test_an_archive_that_is_not_plain_files_is_refused(tmp_path: Path, content: bytes) -> None:
    artifacts = ModelArtifacts(BucketInMemory({"m.tar.gz": content}), tmp_path / "models", LIMITS)
    with pytest.raises(LaunchFailed, match="Failed to extract model data archive"):
        asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))
    assert list((tmp_path / "models").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_refused_archive_takes_little_memory(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(sparse_map(1_000_000))
    tracemalloc.start()
    with pytest.raises(tarfile.TarError):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out", ArchiveLimits())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_an_archive_over_the_limit_is_not_even_stored(tmp_path: Path) -> None:
    artifacts = ModelArtifacts(BucketInMemory({"m.tar.gz": bytes(200_000)}), tmp_path / "models", LIMITS)
    with pytest.raises(LaunchFailed, match="Failed to download model data"):
        asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))


def test_a_new_version_of_an_archive_is_another_model(tmp_path: Path) -> None:
    bucket = BucketInMemory({"m.tar.gz": archive({"version": b"1"})})
    artifacts = ModelArtifacts(bucket, tmp_path, LIMITS)
    first = asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))
    bucket.objects["m.tar.gz"] = archive({"version": b"2"})
    second = asyncio.run(artifacts.fetch("s3://b/m.tar.gz", None))
    kept = asyncio.run(artifacts.fetch("s3://b/m.tar.gz", first.key))
    assert [(each.directory / "version").read_bytes() for each in (first, second, kept)] == [b"1", b"2", b"1"]
    artifacts.delete_unused({second.key})
    assert [path.name for path in tmp_path.iterdir()] == [second.key]

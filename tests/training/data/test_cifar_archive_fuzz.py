"""Whatever the bytes are, an archive is read or refused by name."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.data.cifar_archives import FOLDER, Members, gzip_of, members, pack
from training.data import cifar_pickles
from training.data.cifar_archive import read_classes
from training.data.errors import DataError

MakeArchive = Callable[[Members], Path]


def read_or_refuse(path: Path) -> None:
    """Read; nothing but a DataError of one line may come out."""
    message = ""
    try:
        read_classes(path)
    except DataError as error:
        message = str(error)
    assert "\n" not in message
    assert len(message) < 700


changes = st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), min_size=1, max_size=8)
quietly = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


@quietly
@given(st.binary(max_size=4000))
def test_arbitrary_bytes_end_in_a_named_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.tar.gz"
    path.write_bytes(data)
    read_or_refuse(path)
    read_or_refuse(gzip_of(path, data))


@quietly
@given(st.binary(max_size=300), st.sampled_from(["meta", "train", "test"]))
def test_arbitrary_pickles_end_in_a_named_error(tmp_path: Path, data: bytes, member: str) -> None:
    read_or_refuse(pack(tmp_path / "any.tar.gz", members(rows=4) | {f"{FOLDER}/{member}": data}))


instructions = st.sampled_from(sorted(cifar_pickles._INSTRUCTIONS))


@quietly
@given(st.lists(st.one_of(instructions, st.binary(max_size=6)), max_size=60), st.booleans())
def test_arbitrary_programs_of_pickle_instructions_end_in_a_named_error(
    tmp_path: Path, program: list[bytes], calls: bool
) -> None:
    names = (
        b"cnumpy\ndtype\nc_codecs\nencode\ncnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" if calls else b""
    )
    data = b"\x80\x02" + (names if calls else b"") + b"".join(program) + b"."
    read_or_refuse(pack(tmp_path / "any.tar.gz", members(rows=4) | {f"{FOLDER}/train": data}))


@quietly
@given(changes)
def test_mutated_archives_end_in_images_or_a_named_error(tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    path = pack(tmp_path / "any.tar.gz", members(rows=6))
    data = bytearray(path.read_bytes())
    inner = bytearray(gzip.decompress(data))
    for position, byte in changes:
        data[int(position * len(data))] = byte
        inner[int(position * len(inner))] = byte
    path.write_bytes(data)
    read_or_refuse(path)
    read_or_refuse(gzip_of(path, bytes(inner)))


@quietly
@given(changes)
def test_mutated_pickles_end_in_images_or_a_named_error(tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    contents = members(rows=4)
    data = bytearray(contents[f"{FOLDER}/train"])
    head = 700  # before the pixels
    for position, byte in changes:
        data[int(position * head)] = byte
    read_or_refuse(pack(tmp_path / "any.tar.gz", contents | {f"{FOLDER}/train": bytes(data)}))


def test_deep_nesting_neither_crashes_nor_hangs(make_archive: MakeArchive) -> None:
    deep = b"\x80\x02" + b")" + b"\x85" * 200_000
    for end in (b".", b"K\x01}r\x00\x00\x00\x00s.", b"c_codecs\nencode\nK\x01\x86R."):
        with pytest.raises(DataError):
            read_classes(make_archive(members() | {f"{FOLDER}/train": deep + end}))

"""A pickle of a few bytes or of very many takes little time and memory, whatever it nests and shares."""

import io
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest

from training.data.cifar_pickles import MalformedPickleError, UnsafePickleError, read_pickle


def refuse_long_strings(values: list[Any], pieces: Iterator[bytes]) -> object:
    raise AssertionError


def read(data: bytes) -> object:
    return read_pickle(io.BytesIO(data), refuse_long_strings)


def shared(levels: int, end: bytes) -> bytes:
    """Each level is a tuple of the level below, twice: 2 ** levels values when it is walked."""
    steps = b"".join(b"q" + bytes([level]) + b"h" + bytes([level]) + b"\x86" for level in range(levels))
    return b"\x80\x02" + b"K\x00\x85" + steps + end


ENDS = {
    "as a value": b".",
    "as a key": b"K\x01}q\xff(h\xf0K\x01u.",
    "as a type": b"c" + b"numpy\ndtype\nq\xfeh\xf0\x85R.",
    "as an encoding": b"c_codecs\nencode\nX\x01\x00\x00\x00ah\xf0\x86R.",
    "as a name": b"cnumpy\nndarray\nh\xf0\x85R.",
}


@pytest.mark.parametrize("end", ENDS)
def test_shared_nested_tuples_are_refused_at_once(end: str) -> None:
    begun = time.process_time()
    with pytest.raises((MalformedPickleError, UnsafePickleError)):
        read(shared(200, b"q\xf0" + ENDS[end]))
    assert time.process_time() - begun < 10  # read naively, they take for ever


@pytest.mark.parametrize("end", [b".", b"K\x01s.", b"c_codecs\nencode\nK\x01\x86R."])
def test_two_million_nested_tuples_are_refused_and_crash_nothing(end: bytes) -> None:
    with pytest.raises(MalformedPickleError, match="tuples within tuples"):
        read(b"\x80\x02}K\x00" + b"\x85" * 1_900_000 + end)


def test_nested_lists_are_read_without_recursion() -> None:
    nested = read(b"\x80\x02" + b"]" * 300_000 + b"a" * 299_999 + b".")
    assert type(nested) is list
    with pytest.raises(MalformedPickleError, match="not strings"):
        read(b"\x80\x02}" + b"]" * 300_000 + b"a" * 299_999 + b"K\x01s.")


def test_more_instructions_than_the_dataset_needs_are_refused() -> None:
    with pytest.raises(MalformedPickleError, match="more than 1,000,000 instructions"):
        read(b"\x80\x02" + b"N" * 1_000_001)


@pytest.mark.parametrize(
    "content", [{b"a": [1, 300, 70_000, -5]}, {"text": b"bytes"}, [True, False, None], {b"shape": (2, 3072)}, "", []]
)
def test_data_is_read_as_python_reads_it(content: object) -> None:
    assert read(pickle.dumps(content, 2)) == content

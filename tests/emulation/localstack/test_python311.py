"""LocalStack's files are rewritten for Python 3.11, and only those that need it."""

import os
import runpy
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from emulation.errors import RewriteFailed
from emulation.localstack.python311 import backport, rewrite

GENERIC = '''
"""Doc."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass
class Delta[Before, After]:
    before: Before
    after: After


class Base[T](dict):
    def first[U](self, values: list[U], other: T | None = None) -> U:
        return values[0]


class Bound[T: int](abc.ABC):
    lock: Lock


def run[T](
    work: Callable[[], T],
) -> T:
    return work()


async def later[T](value: T) -> T:
    return value


type Either = str | int
'''


def test_type_parameters_become_type_variables(tmp_path: Path) -> None:
    (tmp_path / "rewritten.py").write_text(rewrite(GENERIC))
    namespace: dict[str, Any] = runpy.run_path(str(tmp_path / "rewritten.py"), run_name="rewritten")
    assert namespace["Delta"].__parameters__ == (namespace["Before"], namespace["After"])
    assert namespace["Base"]().first([3]) == 3
    assert namespace["Bound"].__mro__[1].__name__ == "ABC"
    assert namespace["run"](lambda: "ran") == "ran"
    assert namespace["Either"] == str | int


def test_what_moved_or_became_a_class_later_is_rewritten() -> None:
    source = "from threading import RLock\nfrom warnings import deprecated\n\ndef f(lock: RLock | None = None): ...\n"
    expected = source.replace("warnings", "typing_extensions").replace("RLock | None", '"RLock | None"')
    assert rewrite(source) == expected


def test_a_uuid_may_be_made_of_bytes() -> None:
    program: dict[str, object] = {}
    exec(rewrite("import uuid\ndef made(name): return uuid.uuid5(uuid.NAMESPACE_OID, name)"), program)  # noqa: S102
    made = cast(Callable[[object], uuid.UUID], program["made"])
    assert made("text") == uuid.uuid5(uuid.NAMESPACE_OID, "text")
    assert made(b"\xff\x00") == made(b"\xff\x00") != made(b"\xff\x01")


def test_a_file_that_needs_nothing_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("x: list[int] = [1]\n\n\nclass Plain(dict):\n    pass\n")
    before = (tmp_path / "plain.py").stat()
    assert backport(tmp_path) == []
    assert (tmp_path / "plain.py").stat() == before


def test_a_rewritten_file_is_a_new_file_because_the_old_one_may_be_shared_with_a_cache(tmp_path: Path) -> None:
    shared = tmp_path / "cache.txt"
    shared.write_text(GENERIC)
    (tmp_path / "package").mkdir()
    os.link(shared, tmp_path / "package" / "generic.py")
    assert backport(tmp_path / "package") == [tmp_path / "package" / "generic.py"]
    assert shared.read_text() == GENERIC


def test_a_file_that_cannot_be_rewritten_is_named_and_left_alone(tmp_path: Path) -> None:
    source = "def f[T](x: T) -> T:\n    return x y\n"
    (tmp_path / "broken.py").write_text(source)
    with pytest.raises(RewriteFailed, match=r"broken\.py could not be rewritten for Python"):
        backport(tmp_path)
    assert (tmp_path / "broken.py").read_text() == source

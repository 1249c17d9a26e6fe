"""LocalStack's private environment is made once, whole or not at all, whoever asks and whatever interrupts."""

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from emulation.errors import EnvironmentBuildFailed, RewriteFailed
from emulation.localstack.environment import ensure_environment
from emulation.localstack.installers import Pip, Uv, find_installer
from emulation.localstack.python311 import backport, rewrite

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class FakeInstaller:
    """Makes an "environment" that holds one file, slowly or not at all; writes a mark for each build."""

    marks: Path
    seconds: float = 0.0
    failure: str | None = None

    def commands(self, environment: Path, requirements: Path, project: Path) -> Sequence[Sequence[str]]:
        assert (requirements.name, project.name) == ("requirements.txt", "localstack")
        steps = [
            f"mkdir -p {environment}/bin {environment}/lib/python3/site-packages/localstack",
            f"echo mark >> {self.marks}; touch {environment}/half",
            f"sleep {self.seconds}",
            f"touch {environment}/bin/python; echo Installed 1 package",
        ]
        if self.failure is not None:
            steps.insert(2, f"printf '{self.failure}'; exit 2")
        return [["sh", "-c", step] for step in steps]


def _builds(marks: Path) -> int:
    return len(marks.read_text().splitlines())


def test_an_environment_is_made_once_and_found_again(tmp_path: Path) -> None:
    installer, said = FakeInstaller(tmp_path / "marks"), list[str]()
    first = ensure_environment(tmp_path / "cache", installer=installer, progress=said.append)
    assert first.exists()
    assert said == ["Making LocalStack's environment (once)", "Installed 1 package"]
    started = time.perf_counter()
    assert ensure_environment(tmp_path / "cache", installer=installer, progress=said.append) == first
    assert time.perf_counter() - started < 0.5
    assert _builds(tmp_path / "marks") == 1
    assert len(said) == 2


def test_two_who_ask_at_once_get_one_environment(tmp_path: Path) -> None:
    installer, got = FakeInstaller(tmp_path / "marks", seconds=0.5), list[Path]()
    asking = [
        threading.Thread(target=lambda: got.append(ensure_environment(tmp_path / "cache", installer=installer)))
        for _ in range(3)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(set(got)) == 1
    assert _builds(tmp_path / "marks") == 1


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "error: Failed to fetch\\n  cause: dns error\\n  cause: Name or service not known\\n",
            "Failed to fetch: Name or service not known",
        ),
        ("ERROR: No matching distribution\\n", "No matching distribution"),
        ("error: No space left on device (os error 28)\\n", "No space left on device (os error 28)"),
        ("something else\\n\\n", "something else"),
        ("", "the installer said nothing"),
    ],
)
def test_a_build_that_fails_says_why_in_one_line_and_leaves_nothing(tmp_path: Path, output: str, reason: str) -> None:
    installer = FakeInstaller(tmp_path / "marks", failure=output)
    with pytest.raises(EnvironmentBuildFailed) as caught:
        ensure_environment(tmp_path / "cache", installer=installer)
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)
    assert [path for path in (tmp_path / "cache" / "localstack").iterdir() if path.is_dir()] == []
    assert ensure_environment(tmp_path / "cache", installer=FakeInstaller(tmp_path / "marks")).exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(EnvironmentBuildFailed, match="cache"):
        ensure_environment(tmp_path / "cache", installer=FakeInstaller(tmp_path / "marks"))


BUILDER = """
import sys
from pathlib import Path
from emulation.localstack.environment import ensure_environment
from tests.emulation.test_localstack_environment import FakeInstaller
ensure_environment(Path(sys.argv[1]), installer=FakeInstaller(Path(sys.argv[2]), seconds=60))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_killed_leaves_no_process_and_nothing_that_is_used(
    tmp_path: Path, number: signal.Signals
) -> None:
    marks = tmp_path / "marks"
    command = [sys.executable, "-c", BUILDER, str(tmp_path / "cache"), str(marks)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as builder:
        while not marks.exists() or len(_descendants(builder.pid)) < 2:
            time.sleep(0.05)
        descendants = _descendants(builder.pid)
        builder.send_signal(number)
        builder.wait(10)
    assert psutil.wait_procs(descendants, timeout=8)[1] == []
    assert ensure_environment(tmp_path / "cache", installer=FakeInstaller(marks)).exists()
    assert _builds(marks) == 2


def _descendants(process: int) -> list[psutil.Process]:
    return psutil.Process(process).children(recursive=True)


def test_uv_is_preferred_and_pip_does_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "uv", None)
    assert isinstance(find_installer(), Pip)
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    assert find_installer() == Uv(str(tmp_path / "uv"))


@pytest.mark.parametrize("installer", [Uv("uv"), Pip()])
def test_every_download_is_checked_by_its_hash(installer: Uv | Pip, tmp_path: Path) -> None:
    commands = installer.commands(tmp_path / "env", tmp_path / "requirements.txt", tmp_path / "project")
    fetching = [command for command in commands if str(tmp_path / "requirements.txt") in command]
    assert [("--require-hashes" in command, "--no-deps" in command) for command in fetching] == [(True, True)]
    assert "--no-build-isolation" in commands[-1]


def test_the_lock_names_every_package_by_version_and_hash_and_no_registry() -> None:
    lock = (ROOT / "emulation" / "localstack" / "requirements.txt").read_text()
    entries = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert "localstack-core==4.14.0 \\" in [entry.replace("[runtime]", "") for entry in entries]
    assert all("==" in entry and entry.endswith("\\") for entry in entries)
    assert "http" not in lock


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
    with pytest.raises(RewriteFailed, match=r"broken\.py is not Python"):
        backport(tmp_path)
    assert (tmp_path / "broken.py").read_text() == source

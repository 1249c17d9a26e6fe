"""LocalStack's private environment is made once, whole or not at all, whatever interrupts."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from emulation.errors import EnvironmentBuildFailed
from emulation.localstack.environment import COMPILE, REQUIREMENTS, ensure_environment, install_localstack
from emulation.localstack.localstack_variables import localstack_environment
from emulation.processes.python_environments import Run

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class FakeInstaller:
    """Makes an "environment" that holds one file, slowly or not at all; writes a mark for each build."""

    marks: Path
    seconds: float = 0.0
    failure: str | None = None

    def __call__(self, environment: Path, run: Run) -> None:
        steps = [
            f"mkdir -p {environment}/bin {environment}/lib/python3/site-packages/localstack",
            f"echo mark >> {self.marks}; touch {environment}/half",
            f"sleep {self.seconds}",
            f"cp /bin/true {environment}/bin/python; echo Installed 1 package",
        ]
        if self.failure is not None:
            steps.insert(2, f"printf '{self.failure}'; exit 2")
        for step in steps:
            run(["sh", "-c", step])


def _builds(marks: Path) -> int:
    return len(marks.read_text().splitlines())


def test_an_environment_is_made_once_and_found_again(tmp_path: Path) -> None:
    installer, output = FakeInstaller(tmp_path / "marks"), list[str]()
    first = ensure_environment(tmp_path / "cache", install=installer, progress=output.append)
    assert first.exists()
    assert output == ["Creating LocalStack's environment (once)", "Installed 1 package"]
    assert ensure_environment(tmp_path / "cache", install=installer, progress=output.append) == first
    assert _builds(tmp_path / "marks") == 1
    assert len(output) == 2


def test_two_who_ask_at_once_get_one_environment(tmp_path: Path) -> None:
    installer, got = FakeInstaller(tmp_path / "marks", seconds=0.5), list[Path]()
    asking = [
        threading.Thread(target=lambda: got.append(ensure_environment(tmp_path / "cache", install=installer)))
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
        ("", "the installer printed nothing"),
    ],
)
def test_a_build_that_fails_says_why_in_one_line_and_leaves_nothing(tmp_path: Path, output: str, reason: str) -> None:
    installer = FakeInstaller(tmp_path / "marks", failure=output)
    with pytest.raises(EnvironmentBuildFailed) as caught:
        ensure_environment(tmp_path / "cache", install=installer)
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)
    assert [path for path in (tmp_path / "cache" / "localstack").iterdir() if path.is_dir()] == []
    assert ensure_environment(tmp_path / "cache", install=FakeInstaller(tmp_path / "marks")).exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(EnvironmentBuildFailed, match="cache"):
        ensure_environment(tmp_path / "cache", install=FakeInstaller(tmp_path / "marks"))


@pytest.mark.integration
@pytest.mark.patches
def test_what_localstack_imports_at_its_start_is_compiled(tmp_path: Path, cache: Path) -> None:
    python = ensure_environment(cache)
    settings = localstack_environment("127.0.0.1", 4566, tmp_path, {}) | {"IN_MEMORY_CLIENT": "0"}
    command = [str(python), "-X", f"pycache_prefix={tmp_path / 'bytecode'}", *COMPILE]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    compiled = {file.parent.name for file in tmp_path.glob("bytecode/**/localstack/services/*/provider.cpython-*.pyc")}
    assert {"s3", "sqs", "lambda_", "stepfunctions", "logs", "events"} <= compiled


BUILDER = """
import sys
from pathlib import Path
from emulation.localstack.environment import COMPILE, ensure_environment
from emulation.localstack.localstack_variables import localstack_environment
from tests.emulation.localstack.test_environment import FakeInstaller
ensure_environment(Path(sys.argv[1]), install=FakeInstaller(Path(sys.argv[2]), seconds=3600))
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
        builder.wait(600)
    assert psutil.wait_procs(descendants, timeout=600)[1] == []
    assert ensure_environment(tmp_path / "cache", install=FakeInstaller(marks)).exists()
    assert _builds(marks) == 2


def _descendants(process: int) -> list[psutil.Process]:
    return psutil.Process(process).children(recursive=True)


def test_every_download_is_checked_by_its_hash(tmp_path: Path) -> None:
    commands: list[Sequence[str]] = []
    install_localstack(tmp_path, lambda command, _variables=None, /: commands.append(command))
    fetching = [command for command in commands if str(REQUIREMENTS) in command]
    assert [("--require-hashes" in command, "--no-deps" in command) for command in fetching] == [(True, True)]
    assert {"--no-deps", "--no-build-isolation"} <= set(commands[-1])


def test_the_lock_names_every_package_by_version_and_hash_and_no_registry() -> None:
    lock = REQUIREMENTS.read_text()
    entries = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert "localstack-core==4.14.0 \\" in [entry.replace("[runtime]", "") for entry in entries]
    assert all("==" in entry and entry.endswith("\\") for entry in entries)
    assert "http" not in lock

"""The one way in which a test runs a command in its own process, and a local environment for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner, Result

from emulation.processes.environment_state import EnvironmentState
from emulation.processes.state_directory import StateDirectory
from scones.cli import app


class Cli(Protocol):
    """Runs a command with these words; ``session`` stands for AWS, ``answer`` is what the user types."""

    def __call__(self, *words: str, session: object = None, answer: str = "") -> Result: ...


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A command line with a home, a cache and its own working directory, and no SCONES_ variables besides."""
    for name in ("SCONES_TARGET", "SCONES_STACK", "SCONES_CIFAR100", "SCONES_LABELS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SCONES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCONES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*words: str, session: object = None, answer: str = "") -> Result:
        open_session: Callable[[Any], Any] | None = None if session is None else lambda _settings: session
        return CliRunner().invoke(app, list(words), input=answer, obj=open_session)

    return run


@pytest.fixture
def started_in_us_east_1(tmp_path: Path) -> Iterator[Path]:
    """The home of a local environment that this process says it runs."""
    directory = StateDirectory(tmp_path / "home")
    directory.claim()
    url, now = "http://127.0.0.1:9", datetime.now(UTC)
    directory.write_state(EnvironmentState(1, url, url, {}, "us-east-1", directory.logs, directory.root, now))
    yield directory.root
    directory.release()

"""uv and pip install locked requirements only."""

import sys
from pathlib import Path

import pytest

from emulation.localstack.installers import Pip, Uv, find_installer

ROOT = Path(__file__).resolve().parents[3]


def test_uv_is_preferred_and_pip_does_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "environment" / "bin" / "python"))
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

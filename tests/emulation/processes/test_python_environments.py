import sys
from pathlib import Path

import pytest

from emulation.processes.python_environments import PythonEnvironment, Run

PRINT_CACHE = "import os; print('uv caches in', os.environ.get('UV_CACHE_DIR'))"


def made(cache: Path) -> list[str]:
    """What a program reports that makes an environment."""
    lines: list[str] = []

    def build(folder: Path, run: Run) -> None:
        run([sys.executable, "-c", PRINT_CACHE])
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").touch()

    PythonEnvironment("an environment", cache / "py").ensure(build, lines.append)
    return lines


def test_uv_caches_beside_the_environment_where_the_home_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/dev/null/home")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    for cache_home in ("", "/dev/null/cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", cache_home)
        assert f"uv caches in {tmp_path / cache_home.strip('/') / 'uv'}" in made(tmp_path / cache_home.strip("/"))


def test_uv_caches_where_it_does_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    assert "uv caches in None" in made(tmp_path / "cache")

"""Virtual environments in the user's cache: built on first use, atomically, and reused in milliseconds."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from emulation.errors import EnvironmentBuildFailed
from emulation.processes.parent_watcher import ParentPipe
from emulation.settings import ROOT, inherited_environment

Progress = Callable[[str], object]
_COLOUR_VARIABLES = {"FORCE_COLOR", "CLICOLOR_FORCE"}
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class Run(Protocol):
    """Runs a command of the build, with additional environment variables."""

    def __call__(self, command: Sequence[str], variables: Mapping[str, str] = _NO_VARIABLES, /) -> None:
        """Raise EnvironmentBuildFailed where the command fails."""


@dataclass(frozen=True)
class PythonEnvironment:
    """A virtual environment; ``name`` is for messages, ``directory`` derives from everything it is built from."""

    name: str
    directory: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.directory / "bin" / "python"

    def ensure(self, build: Callable[[Path, Run], None], progress: Progress | None = None) -> Path:
        """Return the interpreter; ``build`` creates the environment in the folder that it gets, if there is none.

        Two callers at once make it once. A build that fails or is killed leaves nothing that is used. Raises
        EnvironmentBuildFailed.
        """
        if self.python.exists():
            return self.python
        report = progress or (lambda _line: None)
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            with self._lock(report):
                if not self.python.exists():
                    self._build(build, report)
        except OSError as error:
            raise EnvironmentBuildFailed(self.name, str(error), self.directory.parent) from error
        return self.python

    @contextmanager
    def _lock(self, report: Progress) -> Iterator[None]:
        with self.directory.with_suffix(".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report(f"Waiting for another process that is making {self.name}")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _build(self, build: Callable[[Path, Run], None], report: Progress) -> None:
        report(f"Creating {self.name} (once)")
        unfinished, log = self.directory.with_suffix(".unfinished"), self.directory.with_suffix(".log")
        shutil.rmtree(unfinished, ignore_errors=True)

        def run(command: Sequence[str], variables: Mapping[str, str] = _NO_VARIABLES, /) -> None:
            run_installer(self.name, command, log, report, variables)

        try:
            log.unlink(missing_ok=True)
            build(unfinished, run)
            unfinished.rename(self.directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def find_uv(python: str | None = None) -> str | None:
    """Return the path of uv, of this environment, of ``python``'s or of the PATH, or None if it is not installed."""
    interpreters = filter(None, (sys.executable, python))
    own = (shutil.which("uv", path=Path(interpreter).parent) for interpreter in interpreters)
    return next(filter(None, own), None) or shutil.which("uv")


def make_environment(environment: Path, run: Run, packages: Sequence[str]) -> None:
    """Create a virtual environment with ``packages``, the arguments of uv's installer; one without uv gets its own."""
    uv, python = find_uv(), str(environment / "bin" / "python")
    if uv:
        run([uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(environment)])
    else:
        run([sys.executable, "-m", "venv", str(environment)])
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"])
    install_packages(environment, run, packages)


def install_packages(environment: Path, run: Run, packages: Sequence[str]) -> None:
    """Install ``packages``, the arguments of uv's installer, into an environment."""
    uv = find_uv() or str(environment / "bin" / "uv")
    run([uv, "pip", "install", "--no-progress", "--python", str(environment / "bin" / "python"), *packages])


def environment_key(sources: Iterable[Path]) -> str:
    """Return a name that changes with the interpreter and with the content of ``sources``."""
    digest = hashlib.sha256(f"{sys.version} {os.path.realpath(sys.executable)}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    return f"py{sys.version_info.major}{sys.version_info.minor}-{digest.hexdigest()[:16]}"


def run_installer(
    name: str,
    command: Sequence[str],
    log: Path,
    report: Progress,
    variables: Mapping[str, str] = _NO_VARIABLES,
    directory: Path | None = None,
) -> list[str]:
    """Run an installer and return the lines that it printed; they go to ``log``, and all but its list to ``report``.

    It ends with this process. Raises EnvironmentBuildFailed, with ``name`` and the installer's reason.
    """
    lines = []
    # Without colours: a notebook's kernel asks every program for them.
    inherited = {key: value for key, value in inherited_environment().items() if key not in _COLOUR_VARIABLES}
    with ParentPipe() as parent_pipe, log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "emulation.processes.process_group_wrapper", *command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **inherited,
                **_uv_cache(inherited, log.parent),
                "NO_COLOR": "1",
                **variables,
                **parent_pipe.environment,
                "PYTHONPATH": str(ROOT),
            },
            pass_fds=parent_pipe.pass_fds,
        )
        with process:
            for line in process.stdout or ():
                file.write(line)
                lines.append(line.strip())
                if not line.lstrip().startswith(("+", "-", "~")):  # uv's list of what it installed
                    report(line.strip())
    if process.returncode:
        raise EnvironmentBuildFailed(name, _reason(lines), log)
    return lines


def _uv_cache(inherited: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return uv's cache in ``folder`` where its own, in the user's home, cannot be written."""
    own = Path(inherited.get("XDG_CACHE_HOME") or f"{inherited.get('HOME', '')}/.cache").absolute()
    parent = next(each for each in (own, *own.parents) if each.exists())
    can_write = parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
    return {} if can_write or "UV_CACHE_DIR" in inherited else {"UV_CACHE_DIR": str(folder / "uv")}


def _reason(lines: Sequence[str]) -> str:
    """Return what failed and, where uv tells it, the deepest cause; else the installer's last line."""
    failures = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("error:")]
    causes = [line.removeprefix("cause:").strip() for line in lines if line.startswith("cause:")]
    if failures:
        return ": ".join([failures[0], *causes[-1:]])
    return next((line for line in reversed(lines) if line), "the installer printed nothing")

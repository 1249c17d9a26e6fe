"""LocalStack's private environment: made on first use, atomically, and found again in milliseconds.

It is private because LocalStack needs the package versions of its release day, which are not ours.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from emulation.errors import EnvironmentBuildFailed
from emulation.localstack.installers import Installer, find_installer
from emulation.localstack.python311 import backport
from emulation.localstack.settings import localstack_environment
from emulation.processes.parent_watcher import ParentPipe
from emulation.settings import inherited_environment

PROJECT = Path(__file__).parent
REQUIREMENTS = PROJECT / "requirements.txt"
COMPILE = ("-I", "-W", "ignore", "-m", "scones_localstack.compile_modules")
_NEEDS_BACKPORT = sys.version_info < (3, 13)

Progress = Callable[[str], None]


def ensure_environment(cache: Path, *, installer: Installer | None = None, progress: Progress | None = None) -> Path:
    """Return the Python of the environment under ``cache``, which is made first where there is none for these versions.

    Two callers at once make it once. A build that fails or is killed leaves nothing that is used.
    Raises EnvironmentBuildFailed.
    """
    python = environment_at(cache)
    if python.exists():
        return python
    environment = python.parents[1]
    tell = progress or (lambda _line: None)
    try:
        environment.parent.mkdir(parents=True, exist_ok=True)
        with _alone(environment.with_suffix(".lock"), tell):
            if not python.exists():
                _build(environment, installer or find_installer(), tell)
    except OSError as error:
        raise EnvironmentBuildFailed(str(error), environment.parent) from error
    return python


def environment_at(cache: Path) -> Path:
    """Return where under ``cache`` the Python of this version's environment is, or will be."""
    return cache / "localstack" / _key() / "bin" / "python"


def _key() -> str:
    """Return a name that changes with everything the environment is made of."""
    digest = hashlib.sha256(f"{sys.version} {os.path.realpath(sys.executable)}".encode())
    sources = [
        REQUIREMENTS,
        PROJECT / "python311.py",
        PROJECT / "pyproject.toml",
        *sorted(PROJECT.glob("scones_localstack/**/*.py")),
    ]
    for source in sources:
        digest.update(source.read_bytes())
    return f"py{sys.version_info.major}{sys.version_info.minor}-{digest.hexdigest()[:16]}"


@contextmanager
def _alone(lock: Path, tell: Progress) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("Waiting for another process that is making LocalStack's environment")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(environment: Path, installer: Installer, tell: Progress) -> None:
    tell("Making LocalStack's environment (once)")
    unfinished = environment.with_suffix(".unfinished")
    log = environment.with_suffix(".log")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        log.unlink(missing_ok=True)
        for command in installer.commands(unfinished, REQUIREMENTS, PROJECT):
            _run(command, log, tell)
        if _NEEDS_BACKPORT:
            for package in unfinished.glob("lib/python*/site-packages/localstack"):
                backport(package)
        _compile(unfinished, log, tell)
        unfinished.rename(environment)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _compile(environment: Path, log: Path, tell: Progress) -> None:
    """Write the bytecode of what LocalStack imports, so that the first start does not wait for it."""
    with tempfile.TemporaryDirectory() as directory:
        settings = localstack_environment("127.0.0.1", 4566, Path(directory), {}) | {"IN_MEMORY_CLIENT": "0"}
        _run([str(environment / "bin" / "python"), *COMPILE], log, tell, settings)


def _run(
    command: Sequence[str], log: Path, tell: Progress, variables: Mapping[str, str] = MappingProxyType({})
) -> None:
    lines = []
    with ParentPipe() as parent_pipe, log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "emulation.processes.process_group_wrapper", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **inherited_environment(),
                **variables,
                **parent_pipe.environment,
                "PYTHONPATH": str(PROJECT.parents[1]),
            },
            pass_fds=parent_pipe.pass_fds,
        )
        with process:
            for line in process.stdout or ():
                file.write(line)
                lines.append(line.strip())
                if not line.lstrip().startswith("+"):  # uv's list of what it installed
                    tell(line.strip())
    if process.returncode:
        raise EnvironmentBuildFailed(_reason(lines), log)


def _reason(lines: Sequence[str]) -> str:
    """Return what failed and, where uv tells it, the deepest cause; else the installer's last words."""
    failures = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("error:")]
    causes = [line.removeprefix("cause:").strip() for line in lines if line.startswith("cause:")]
    if failures:
        return ": ".join([failures[0], *causes[-1:]])
    return next((line for line in reversed(lines) if line), "the installer said nothing")

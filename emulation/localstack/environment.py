"""LocalStack's private environment: it needs the package versions of its release day, which are not ours."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from emulation.localstack.localstack_variables import localstack_environment
from emulation.localstack.python311 import backport
from emulation.processes.python_environments import (
    Progress,
    PythonEnvironment,
    Run,
    environment_key,
    install_packages,
    make_environment,
)

PROJECT = Path(__file__).parent
REQUIREMENTS = PROJECT / "requirements.txt"
COMPILE = ("-I", "-W", "ignore", "-m", "scones_localstack.compile_modules")
_NEEDS_BACKPORT = sys.version_info < (3, 13)


Install = Callable[[Path, Run], None]


def install_localstack(environment: Path, run: Run) -> None:
    """Create the environment with LocalStack, each download checked by its hash, and with our plugin."""
    make_environment(environment, run, ["--no-deps", "--require-hashes", "--requirements", str(REQUIREMENTS)])
    install_packages(environment, run, ["--quiet", "--no-deps", "--no-build-isolation", str(PROJECT)])


def ensure_environment(cache: Path, *, install: Install = install_localstack, progress: Progress | None = None) -> Path:
    """Return the Python of the environment under ``cache``, which is created first if there is none for these versions.

    Raises EnvironmentBuildFailed.
    """

    def build(environment: Path, run: Run) -> None:
        install(environment, run)
        if _NEEDS_BACKPORT:
            for package in environment.glob("lib/python*/site-packages/localstack"):
                backport(package)
        _compile(environment, run)

    return _environment(cache).ensure(build, progress)


def environment_at(cache: Path) -> Path:
    """Return where under ``cache`` the Python of this version's environment is, or will be."""
    return _environment(cache).python


def _environment(cache: Path) -> PythonEnvironment:
    sources = [
        REQUIREMENTS,
        PROJECT / "python311.py",
        PROJECT / "pyproject.toml",
        *sorted(PROJECT.glob("scones_localstack/**/*.py")),
    ]
    return PythonEnvironment("LocalStack's environment", cache / "localstack" / environment_key(sources))


def _compile(environment: Path, run: Run) -> None:
    """Write the bytecode of what LocalStack imports, so that the first start does not wait for it."""
    with tempfile.TemporaryDirectory() as directory:
        settings = localstack_environment("127.0.0.1", 4566, Path(directory), {}) | {"IN_MEMORY_CLIENT": "0"}
        run([str(environment / "bin" / "python"), *COMPILE], settings)

"""Installs a requirements.txt for one program, in addition to the packages of an interpreter that others share."""

from pathlib import Path

from emulation.errors import EnvironmentBuildFailed
from emulation.processes.python_environments import Progress, find_uv, run_installer
from emulation.sagemaker.errors import RequirementsNotInstalled
from emulation.sagemaker.training.torch_environment import torch_source

NAME = "requirements.txt"
_OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--no-index", "--pre", "-i ", "-f ")
_ADDED = "+ "


def install(python: str, requirements: Path, into: Path, report: Progress, *, directory: Path | None = None) -> None:
    """Install the packages that the interpreter lacks into ``into``, which belongs on the program's import path.

    Packages that the interpreter has are not installed again: PyTorch is large, and its computer may be offline.
    Relative paths are those of ``directory``, by default that of the file.

    Raises RequirementsNotInstalled with the installer's reason.
    """
    directory = directory or requirements.parent
    uv, log = find_uv(python), into.parent / "requirements.log"
    if uv is None:
        raise RequirementsNotInstalled("uv, which installs packages, is not installed here")
    pip, source = [uv, "pip", "install", "--no-progress"], torch_source()
    into.parent.mkdir(parents=True, exist_ok=True)
    try:
        resolve = [*pip, "--python", python, *source, "--dry-run", "-r", str(requirements)]
        missing = _missing(run_installer("requirements", resolve, log, report, directory=directory))
        if not missing:
            return
        pinned = into.parent / "pinned-requirements.txt"
        pinned.write_text("\n".join([*options(requirements), *missing]))
        command = [*pip, "--python", python, *source, "--no-deps", "--target", str(into), "-r", str(pinned)]
        run_installer("requirements", command, log, report, directory=directory)
    except EnvironmentBuildFailed as error:
        raise RequirementsNotInstalled(error.reason) from error
    except OSError as error:
        raise RequirementsNotInstalled(str(error)) from error


def _missing(lines: list[str]) -> list[str]:
    """Return what uv would add, as requirements."""
    return [line.removeprefix(_ADDED) for line in lines if line.startswith(_ADDED)]


def options(requirements: Path) -> list[str]:
    """Return the file's own options, such as an index; what it requires is in uv's answer already."""
    lines = [line.strip() for line in requirements.read_text(errors="replace").splitlines()]
    return [line for line in lines if line.startswith(_OPTIONS)]

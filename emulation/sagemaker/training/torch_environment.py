"""The interpreter of training jobs: one that has PyTorch, or an environment that the first job creates in the cache."""

import importlib.util
import sys
from pathlib import Path

from emulation.processes.python_environments import (
    Progress,
    PythonEnvironment,
    Run,
    environment_key,
    make_environment,
)
from emulation.settings import inherited_environment

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def find_torch(cache: Path) -> Path | None:
    """Return an interpreter that has PyTorch: this one, or that of the environment if it exists."""
    if importlib.util.find_spec("torch"):
        return Path(sys.executable)
    python = _environment(cache).python
    return python if python.exists() else None


def ensure_torch(cache: Path, progress: Progress | None = None) -> Path:
    """Return an interpreter that has PyTorch; create the environment if necessary. Raises EnvironmentBuildFailed."""
    return find_torch(cache) or _environment(cache).ensure(_build, progress)


def _environment(cache: Path) -> PythonEnvironment:
    return PythonEnvironment("the training environment", cache / "training" / environment_key([REQUIREMENTS]))


def _build(environment: Path, run: Run) -> None:
    make_environment(environment, run, [*torch_source(), "-r", str(REQUIREMENTS)])


def torch_source() -> list[str]:
    """Return where pip gets the CPU build of torch: from the folders of wheels that the user specifies, if any.

    The default build brings three gigabytes of libraries for GPUs.
    """
    variables = inherited_environment()
    folders = f"{variables.get('UV_FIND_LINKS', '')} {variables.get('PIP_FIND_LINKS', '')}".replace(",", " ").split()
    links = [f"--find-links={folder}" for folder in dict.fromkeys(folders) if "://" in folder or Path(folder).is_dir()]
    return links or ["--torch-backend=cpu"]

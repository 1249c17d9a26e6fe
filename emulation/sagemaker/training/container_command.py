"""Runs a job's ContainerEntrypoint and ContainerArguments, with which ModelTrainer of the SageMaker SDK 3 submits code.

Its scripts, in the channel ``sm_drivers``, name files under /opt/ml, which is the job's directory here: in the command
and in that channel, the path is replaced.
"""

import os
import re
import sys
from pathlib import Path

from emulation.sagemaker.errors import TrainingFailed
from emulation.sagemaker.training import job_pip
from emulation.sagemaker.training.job_files import JobDirectory, Request
from emulation.sagemaker.training.training_program import Program, script_environment
from emulation.settings import ROOT

DRIVERS = "sm_drivers"
_CONTAINER_ROOT = "/opt/ml"
_SCRIPTS = frozenset({".json", ".py", ".sh"})
_PIP = '#!/bin/sh\nexec python3 -m pip "$@"\n'
_PIP_MODULE = """import os, subprocess, sys
command = [{ours!r}, "-P", "-m", {pip!r}, sys.executable, {packages!r}, {failure!r}, *sys.argv[1:]]
sys.exit(subprocess.call(command, env={{**os.environ, "PYTHONPATH": {root!r}}}))
"""


def is_named(request: Request) -> bool:
    """Tell whether a job has its own command."""
    return "ContainerEntrypoint" in request["AlgorithmSpecification"]


def program(python: str, request: Request, arn: str, folder: JobDirectory) -> Program:
    """Return the job's command; ``python3`` in it is ``python``. Raises TrainingFailed."""
    algorithm, root = request["AlgorithmSpecification"], str(folder.root)
    if re.search(r"[^\w./+-]", root, re.ASCII):
        raise TrainingFailed(
            f"ClientError: scripts cannot use {root!r} for {_CONTAINER_ROOT}: start the emulator elsewhere"
        )
    words = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", ())]
    for path in (folder.data / DRIVERS).rglob("*"):
        if path.suffix in _SCRIPTS and path.is_file():
            path.write_bytes(path.read_bytes().replace(_CONTAINER_ROOT.encode(), root.encode()))
    environment = script_environment(request, arn, folder, request.get("HyperParameters", {}))
    environment["PYTHONPATH"] = str(_packages(folder))
    environment["PATH"] = os.pathsep.join(
        [str(Path(python).parent), environment.get("PATH", os.defpath), _tools(folder)]
    )
    command = [word.replace(_CONTAINER_ROOT, root) for word in words]
    return Program(command, " ".join(words), folder.root, environment)


def _tools(folder: JobDirectory) -> str:
    """Return a folder with the ``pip3`` that scripts look for, which an interpreter made by uv does not have."""
    pip = folder.root / "bin" / "pip3"
    pip.parent.mkdir(exist_ok=True)
    pip.write_text(_PIP)
    pip.chmod(0o755)
    return str(pip.parent)


def _packages(folder: JobDirectory) -> Path:
    """Return the folder where the job's requirements go; its module ``pip`` has uv install them there.

    The interpreter is shared by all jobs, and one made by uv has no pip.
    """
    module = folder.packages / "pip" / "__main__.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    values = {"ours": sys.executable, "pip": job_pip.__name__, "packages": str(folder.packages), "root": str(ROOT)}
    values["failure"] = str(folder.installer_failure)
    module.write_text(_PIP_MODULE.format(**values))
    return folder.packages

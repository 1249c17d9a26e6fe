"""Finds the inference script of a model, and prepares what it needs: interpreter, requirements, paths."""

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulation.errors import EnvironmentBuildFailed
from emulation.sagemaker import frameworks, requirements_file
from emulation.sagemaker.errors import RequirementsNotInstalled, UnhealthyContainer
from emulation.sagemaker.frameworks import Interpreters
from emulation.sagemaker.hosting import handler_server
from emulation.sagemaker.hosting.deployment import ContainerPlan
from emulation.sagemaker.hosting.model_server import Command, Prepare

_CONTAINER_MODEL = "/opt/ml/model"
_SUBMIT_DIRECTORY, _PROGRAM = "SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_PROGRAM"
_MODEL_BUILDER = ("sagemaker-serve", "cloudpickle")
_PICKLE = "serve.pkl"
_NATIVE = {".pt", ".pth"}


@dataclass(frozen=True)
class InferenceScript:
    """Handlers to serve a model with; without ``program``, the framework's own."""

    variant: str
    image: str
    model: Path
    code: Path
    program: str | None

    def preparation(self, interpreters: Interpreters) -> Prepare:
        """Return what prepares the script and returns the command of its server."""

        async def prepare(report: Callable[[str], object]) -> Command:
            try:
                python = await interpreters.of_image(self.image, report)
                packages = await asyncio.to_thread(self._prepare, python, report)
            except EnvironmentBuildFailed as error:
                raise UnhealthyContainer(self.variant, f"{error}") from error
            except RequirementsNotInstalled as error:
                detail = f"{requirements_file.NAME} of the model could not be installed: {error}"
                raise UnhealthyContainer(self.variant, detail) from error
            return self._command(python, packages)

        return prepare

    def _command(self, python: str, packages: Path) -> Command:
        paths = [f"--path={path}" for path in (self.code, packages)]
        program = [] if self.program is None else ["--program", self.program]
        if self.program is None and "xgboost" in self.image:
            program = ["--accept", handler_server.CSV]  # whatever a request accepts, as AWS's container

        def command(listener: int, model: Path) -> Sequence[str]:
            server = [python, "-I", "-u", str(handler_server.__file__), "--fd", str(listener)]
            return [*server, "--model-dir", str(model), *paths, *program]

        return command

    def _prepare(self, python: str, report: Callable[[str], object]) -> Path:
        """Replace the container's paths, install the requirements, and return their folder."""
        packages, installed = self.code / ".packages", self.code / ".installed"
        libraries = self.model / "shared_libs"
        if libraries.is_dir():  # ModelBuilder's script copies it, empty as it is, with its mode, to /lib
            if any(libraries.iterdir()):
                raise UnhealthyContainer(self.variant, "the shared libraries of the model are not installed here.")
            libraries.rmdir()
        if self.program is None:
            return packages
        for path in self.code.rglob("*.py"):
            text = path.read_bytes()
            if packages not in path.parents and _CONTAINER_MODEL.encode() in text:  # packages are linked to uv's cache
                path.write_bytes(text.replace(_CONTAINER_MODEL.encode(), str(self.model).encode()))
        if not installed.exists() or installed.read_text() != python:
            requirements = self._requirements()
            if requirements is not None:
                requirements_file.install(python, requirements, packages, report)
            installed.write_text(python)
        return packages

    def _requirements(self) -> Path | None:
        """Return the script's requirements; those of ModelBuilder's script leave out the SDK, which it imports."""
        own = self.code / requirements_file.NAME
        if not (self.code / _PICKLE).exists():
            return own if own.exists() else None
        lines = own.read_text().splitlines() if own.exists() else []
        completed = self.code / ".requirements-of-model-builder.txt"
        completed.write_text("\n".join([*lines, *_MODEL_BUILDER]))
        return completed


def code_url(container: ContainerPlan) -> str | None:
    """Return where the container's code lies in S3, if not in the model's archive."""
    directory = container.environment.get(_SUBMIT_DIRECTORY, "")
    return directory if directory.startswith("s3://") else None


def find(variant: str, container: ContainerPlan, model: Path, fetched: Path | None) -> InferenceScript | None:
    """Return the script that serves the model, or None if the production server does; ``fetched`` is code from S3.

    Raises UnhealthyContainer if neither can.
    """
    if (model / "model.onnx").exists() and _PROGRAM not in container.environment:
        return None
    kind = frameworks.not_emulated(container.image)
    if kind is not None:
        raise UnhealthyContainer(
            variant,
            f"containers of {kind} cannot be run here, only the handlers of PyTorch, scikit-learn and XGBoost "
            "containers, and models of Scones.",
        )
    code = _code_folder(variant, container, model) if fetched is None else model / f".code-{fetched.name}"
    if fetched is not None and not code.exists():  # a copy, as its paths become those of this model
        shutil.copytree(fetched, code)
    program = container.environment.get(_PROGRAM) or "inference.py"
    if (code / program).is_file():
        if re.search(r"[^\w./+-]", str(model), re.ASCII):
            detail = f"scripts cannot use {str(model)!r} for {_CONTAINER_MODEL}: start the emulator elsewhere."
            raise UnhealthyContainer(variant, detail)
        return InferenceScript(variant, container.image, model, code, program)
    if (model / "xgboost-model").exists() or any(path.suffix in _NATIVE for path in model.iterdir()):
        return InferenceScript(variant, container.image, model, code, None)  # as in AWS's containers
    if _PROGRAM in container.environment:
        raise UnhealthyContainer(variant, f"{_PROGRAM} {program} is not in the code of the model.")
    return None


def _code_folder(variant: str, container: ContainerPlan, model: Path) -> Path:
    directory = container.environment.get(_SUBMIT_DIRECTORY, "")
    inside = directory.removeprefix(_CONTAINER_MODEL).strip("/") if directory.startswith(_CONTAINER_MODEL) else "code"
    code = (model / inside).resolve()
    if not code.is_relative_to(model.resolve()):
        raise UnhealthyContainer(variant, f"{_SUBMIT_DIRECTORY} {directory} leads out of the model archive.")
    return code


def environment(container: ContainerPlan, model: Path, region: str) -> dict[str, str]:
    """Return the variables of the container: its own, and those that AWS sets."""
    own = {name: value.replace(_CONTAINER_MODEL, str(model)) for name, value in container.environment.items()}
    set_by_aws = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "SM_MODEL_DIR": str(model)}
    return {**set_by_aws, **own}

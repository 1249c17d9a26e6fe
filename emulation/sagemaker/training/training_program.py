"""What a training job runs: the submitted script, or our trainer, with the environment of SageMaker's script mode."""

import asyncio
import contextlib
import json
import os
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import InvalidS3Uri
from core.s3_uris import S3Uri
from emulation.processes.python_environments import Progress
from emulation.sagemaker import aws_clients, requirements_file
from emulation.sagemaker.errors import RequirementsNotInstalled, TrainingFailed
from emulation.sagemaker.hosting.model_artifacts import DEFAULT_LIMITS, store, unpack
from emulation.sagemaker.hosting.model_server import HOST_VARIABLES
from emulation.sagemaker.training.job_files import JobDirectory, Request
from emulation.settings import ROOT, inherited_environment

TRAINER = ("-m", "training.vehicle_net.train")
_NO_TORCH = (
    "ClientError: PyTorch is not installed for {python}, which --training-python names: install it there, or omit the "
    "option to train in an environment that is created for it"
)
_CHANNELS = "/opt/ml/input/data/"
_MAX_FAILURE_BYTES = 4096
_MAX_INSTALLER = 400
_UNREADABLE = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, zlib.error)


@dataclass(frozen=True)
class Program:
    """A command, the command that AWS would show for it, its environment, and notes for the log before its output."""

    command: Sequence[str]
    shown: str
    directory: Path
    environment: Mapping[str, str]
    notes: Sequence[str] = ()


def script_mode(
    client: aws_clients.S3, python: str, request: Request, arn: str, folder: JobDirectory, report: Progress
) -> Program:
    """Return the program that the hyperparameters name, or our trainer if they name none. Raises TrainingFailed.

    What its requirements.txt lists is installed for this job; ``report`` gets the installer's lines.
    """
    values = {name: _decoded(value) for name, value in request.get("HyperParameters", {}).items()}
    hyperparameters = {name: value for name, value in values.items() if not name.startswith("sagemaker_")}
    arguments = [word for name, value in sorted(hyperparameters.items()) for word in (_option(name), _word(value))]
    environment = script_environment(request, arn, folder, hyperparameters, arguments)
    source, script = values.get("sagemaker_submit_directory"), values.get("sagemaker_program")
    if source is None:
        command = [python, *TRAINER, "--checkpoint-dir", str(folder.checkpoints)]
        return Program(command, " ".join(["python", *TRAINER]), folder.root, environment | {"PYTHONPATH": str(ROOT)})
    if not script:
        raise TrainingFailed("AlgorithmError: ImportError: sagemaker_submit_directory without sagemaker_program")
    _unpack(client, str(source), request, folder)
    entry = (folder.code / str(script)).resolve()
    if not entry.is_relative_to(folder.code.resolve()) or not entry.is_file():
        raise TrainingFailed(f"AlgorithmError: ExecuteUserScriptError: No such file {script} in {source}")
    shown = " ".join(["python", str(script), *arguments])
    if "CheckpointConfig" in request:  # a container has its checkpoints at the path that the job names; no process has
        arguments += ["--checkpoint-dir", str(folder.checkpoints)]
    _install_requirements(python, folder, report)
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(folder.code), str(folder.packages)]),
        "SM_MODULE_DIR": str(source),
        "SM_MODULE_NAME": str(script).removesuffix(".py"),
        "SM_USER_ENTRY_POINT": str(script),
    }
    return Program([python, str(script), *arguments], shown, folder.code, environment)


def script_environment(
    request: Request, arn: str, folder: JobDirectory, hyperparameters: Mapping[str, Any], arguments: Sequence[str] = ()
) -> dict[str, str]:
    """Return the variables that SageMaker's training toolkit sets, and the job's own; nothing of the caller's AWS."""
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig", ())]
    inherited = {
        name: value for name, value in inherited_environment().items() if not name.startswith(("SM_", "AWS_", "PYTHON"))
    }
    own = {
        name: value
        for name, value in request.get("Environment", {}).items()
        if not name.startswith(HOST_VARIABLES) and "\0" not in name + value and "=" not in name
    }
    # Threads that spin at barriers make training several times slower wherever other processes need the cores.
    inherited.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    hosts = {"SM_CURRENT_HOST": "algo-1", "SM_HOSTS": '["algo-1"]', "SM_NETWORK_INTERFACE_NAME": "lo"}
    region = arn.split(":")[3]
    return {
        **inherited,
        **own,
        **hosts,
        **{f"SM_CHANNEL_{name.upper()}": str(folder.data / name) for name in channels},
        **{f"SM_HP_{name.upper()}": _word(value) for name, value in hyperparameters.items()},
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "PYTHONUNBUFFERED": "1",
        "SM_CHANNELS": json.dumps(sorted(channels)),
        "SM_HPS": json.dumps(hyperparameters),
        "SM_USER_ARGS": json.dumps(list(arguments)),
        "SM_INPUT_DIR": str(folder.root / "input"),
        "SM_INPUT_CONFIG_DIR": str(folder.config),
        "SM_MODEL_DIR": str(folder.model),
        "SM_OUTPUT_DIR": str(folder.output),
        "SM_OUTPUT_DATA_DIR": str(folder.output / "data"),
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "20",
        "TRAINING_JOB_ARN": arn,
        "TRAINING_JOB_NAME": request["TrainingJobName"],
    }


async def require_torch(python: str) -> None:
    """Raise TrainingFailed where the interpreter has no PyTorch."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    try:
        process = await asyncio.create_subprocess_exec(python, "-I", "-c", code, stdin=asyncio.subprocess.DEVNULL)
    except OSError as error:
        raise TrainingFailed(f"ClientError: {python}, which --training-python names, cannot be run: {error}") from error
    if await process.wait():
        raise TrainingFailed(_NO_TORCH.format(python=python))


def failure(program: Program, status: int, folder: JobDirectory, last: list[str]) -> str:
    """Return the FailureReason of a program that failed: what it wrote for SageMaker, else its last line.

    The driver of the SageMaker SDK 3 writes that it failed, and not that an installer did; that is added.
    """
    installer = ""
    with contextlib.suppress(OSError):
        installer = f" (Here: {folder.installer_failure.read_text()[:_MAX_INSTALLER]})"
    with contextlib.suppress(OSError):
        with (folder.output / "failure").open("rb") as file:
            written = file.read(_MAX_FAILURE_BYTES).decode(errors="replace").strip()
        if written:
            return f"AlgorithmError: {written}, exit code: {status}{installer}"
    words = last[-1] if last else ""
    return (
        f'AlgorithmError: ExecuteUserScriptError:\nExitCode {status}\nErrorMessage "{words[:600]}"\n'
        f'Command "{program.shown[:200]}", exit code: {status}{installer}'
    )


def _install_requirements(python: str, folder: JobDirectory, report: Progress) -> None:
    requirements = folder.code / requirements_file.NAME
    if not requirements.is_file():
        return
    shown = f"python -m pip install -r {requirements_file.NAME}"
    report(shown)
    try:
        requirements_file.install(python, requirements, folder.packages, report)
    except RequirementsNotInstalled as error:
        raise TrainingFailed(
            f'AlgorithmError: InstallRequirementsError:\nExitCode 1\nErrorMessage "{error}"\n'
            f'Command "{shown}", exit code: 1'
        ) from error


def _unpack(client: aws_clients.S3, source: str, request: Request, folder: JobDirectory) -> None:
    archive = folder.root / "sourcedir.tar.gz"
    try:
        if source.startswith(_CHANNELS):
            inside = (folder.data / source.removeprefix(_CHANNELS)).resolve()
            if not inside.is_relative_to(folder.data.resolve()):
                raise ValueError(f"{source} leads out of the channels")
            unpack(inside, folder.code, DEFAULT_LIMITS)
            return
        if request.get("EnableNetworkIsolation"):
            raise ValueError("network isolation: the container cannot reach S3; put the archive into a channel")
        bucket, key = S3Uri.parse(source)
        with client.get_object(Bucket=bucket, Key=key)["Body"] as body:
            store(body, archive, DEFAULT_LIMITS.stored)
        unpack(archive, folder.code, DEFAULT_LIMITS)
    except (ClientError, BotoCoreError, InvalidS3Uri, *_UNREADABLE) as error:
        raise TrainingFailed(
            f"AlgorithmError: framework error: cannot download and unpack {source}: {error}"
        ) from error


def _decoded(value: str) -> Any:
    """Return a hyperparameter as the toolkit reads it: JSON where it is JSON, else the text."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _option(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _word(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, bool) else json.dumps(value)

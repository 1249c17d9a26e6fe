"""Chooses what a training job runs: its own command, its script, or the algorithm of its image; and prepares it."""

import asyncio

from emulation.errors import EnvironmentBuildFailed
from emulation.processes.python_environments import Progress
from emulation.sagemaker import aws_clients
from emulation.sagemaker.errors import TrainingFailed
from emulation.sagemaker.frameworks import Interpreters
from emulation.sagemaker.training import (
    container_command,
    image_classification,
    job_files,
    training_program,
    xgboost_algorithm,
)
from emulation.sagemaker.training.job_files import JobDirectory, Request
from emulation.sagemaker.training.training_program import Program

_PYTORCH = "pytorch"


async def prepare(
    client: aws_clients.S3,
    interpreters: Interpreters,
    request: Request,
    arn: str,
    folder: JobDirectory,
    report: Progress,
) -> Program:
    """Download the program's inputs, refuse what the real container refuses, and return the program.

    ``report`` gets what installers print. Raises TrainingFailed.
    """
    image = request["AlgorithmSpecification"].get("TrainingImage", "")
    builtin = image_classification.is_builtin_image(image)
    if builtin:
        image_classification.check_request(request)
    await asyncio.to_thread(job_files.download, client, request, folder)
    if builtin:
        await asyncio.to_thread(image_classification.check_input, request, folder)
        return await _image_classification(interpreters, request, arn, folder, report)
    if container_command.is_named(request):
        python = await _interpreter(interpreters, image, report)
        return await asyncio.to_thread(container_command.program, python, request, arn, folder)
    if xgboost_algorithm.is_named(request):
        return xgboost_algorithm.program(await _interpreter(interpreters, image, report), request, arn, folder)
    if "sagemaker_submit_directory" in request.get("HyperParameters", {}):
        python = await _interpreter(interpreters, image, report)
    else:
        python = await _interpreter_with_torch(interpreters, report)
    return await asyncio.to_thread(training_program.script_mode, client, python, request, arn, folder, report)


async def _image_classification(
    interpreters: Interpreters, request: Request, arn: str, folder: JobDirectory, report: Progress
) -> Program:
    python = await _interpreter_with_torch(interpreters, report)
    environment = training_program.script_environment(request, arn, folder, {})
    options = [*image_classification.arguments(request), "--checkpoint-dir", str(folder.checkpoints)]
    command = [python, *training_program.TRAINER, *options]
    environment |= image_classification.environment(request, folder)
    return Program(command, "train", folder.root, environment, image_classification.notes(request))


async def _interpreter_with_torch(interpreters: Interpreters, report: Progress) -> str:
    python = await _interpreter(interpreters, _PYTORCH, report)
    if interpreters.python is not None:
        await training_program.require_torch(python)
    return python


async def _interpreter(interpreters: Interpreters, image: str, report: Progress) -> str:
    try:
        return await interpreters.of_image(image, report)
    except EnvironmentBuildFailed as error:
        raise TrainingFailed(f"InternalServerError: {error}; --training-python sets another interpreter") from error

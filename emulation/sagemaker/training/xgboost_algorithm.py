"""AWS's built-in algorithm XGBoost: a job of its image that brings neither a script nor a command."""

from emulation.sagemaker.frameworks import repository
from emulation.sagemaker.training import xgboost_program
from emulation.sagemaker.training.job_files import JobDirectory, Request
from emulation.sagemaker.training.training_program import Program, script_environment

_METRICS = ("accuracy", "auc", "error", "f1", "logloss", "mae", "map", "merror", "mlogloss", "mse", "ndcg", "rmse")
METRICS = tuple(
    {"Name": f"{part}:{metric}", "Regex": rf"^\[[0-9]+\].*#011{part}-{metric}:([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)"}
    for part in ("train", "validation")
    for metric in _METRICS
)


def is_named(request: Request) -> bool:
    """Tell whether a job is the algorithm's."""
    algorithm = request["AlgorithmSpecification"]
    return (
        repository(algorithm.get("TrainingImage", "")) in {"xgboost", "sagemaker-xgboost"}
        and "ContainerEntrypoint" not in algorithm
        and "sagemaker_submit_directory" not in request.get("HyperParameters", {})
    )


def program(python: str, request: Request, arn: str, folder: JobDirectory) -> Program:
    """Return the algorithm as a program; ``python`` has XGBoost."""
    environment = script_environment(request, arn, folder, {})
    return Program([python, "-I", str(xgboost_program.__file__)], "train", folder.root, environment)

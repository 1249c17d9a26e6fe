"""Interpreters with the packages of AWS's framework images: this one, or virtual environments made on first use."""

import asyncio
import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emulation.processes.python_environments import Progress, PythonEnvironment, environment_key, make_environment
from emulation.sagemaker.training.torch_environment import ensure_torch

_PACKAGES = Path(__file__).with_name("framework-requirements")
_REQUIREMENTS: Mapping[str, Path] = {
    "scikit-learn": _PACKAGES / "scikit-learn.txt",
    "xgboost": _PACKAGES / "xgboost.txt",
}
_ALGORITHMS = frozenset(
    {
        "blazingtext",
        "factorization-machines",
        "forecasting-deepar",
        "ipinsights",
        "kmeans",
        "knn",
        "lda",
        "linear-learner",
        "ntm",
        "object-detection",
        "object2vec",
        "pca",
        "randomcutforest",
        "sagemaker-scikit-learn",
        "sagemaker-xgboost",
        "semantic-segmentation",
        "seq2seq",
        "xgboost",
    }
)
_NOT_HERE = ("djl", "lmi", "tgi", "tei", "triton", "vllm", "sglang", "neuron", "tensorflow", "mxnet", "jumpstart")


def repository(image: str) -> str:
    """Return the last part of an image's name, without its tag."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()


def has_own_algorithm(image: str) -> bool:
    """Tell whether ``image`` is AWS's and trains by its own algorithm unless a job brings a script."""
    return repository(image) in _ALGORITHMS


def not_emulated(image: str) -> str | None:
    """Return which kind of AWS's containers ``image`` is, if it is one that cannot be run here."""
    words = repository(image).replace("_", "-").split("-")
    return next((kind for kind in _NOT_HERE if kind in words or any(word.startswith(kind) for word in words)), None)


@dataclass(frozen=True)
class Interpreters:
    """The interpreters of training programs and handlers: ``python`` for all of them, or those below ``cache``."""

    python: str | None
    cache: Path

    async def of_image(self, image: str, report: Progress) -> str:
        """Return the interpreter of an image's programs. Raises EnvironmentBuildFailed."""
        return self.python or str(await asyncio.to_thread(ensure_interpreter, image, self.cache, report))


def ensure_interpreter(image: str, cache: Path, report: Progress) -> Path:
    """Return an interpreter with the packages of ``image``. Raises EnvironmentBuildFailed.

    An image that is not AWS's for PyTorch, scikit-learn or XGBoost gets this interpreter, with its packages.
    """
    name = repository(image)
    if "pytorch" in name:
        return ensure_torch(cache, report)
    framework = next((each for each in _REQUIREMENTS if each in name), None)
    if framework is None:
        return Path(sys.executable)
    requirements = _REQUIREMENTS[framework]

    build = functools.partial(make_environment, packages=["-r", str(requirements)])
    directory = cache / "frameworks" / f"{framework}-{environment_key([requirements])}"
    return PythonEnvironment(f"the {framework} environment", directory).ensure(build, report)

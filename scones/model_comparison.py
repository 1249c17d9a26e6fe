"""Compares a training job's model with the one that is served, on the images that the job kept for validation.

Both models run in this process: nothing is deployed, invoked or captured.
"""

import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from core.labels import Labels
from core.lst_files import parse_lst
from core.s3_uris import S3Uri, has_objects
from emulation.sagemaker.hosting.model_artifacts import DEFAULT_LIMITS, store, unpack
from monitoring.comparison import Comparison, compare, describe_difference
from monitoring.evaluation import Prediction, describe_rate
from orchestration.stack_outputs import StackOutputs
from scones.console import Advance
from scones.errors import NotComparable
from training import endpoint_deployment, jobs
from training.errors import EndpointNotFound
from training.jobs import JobStatus
from training.serving.errors import ServingError
from training.serving.model import Model, load
from training.vehicle_net.package import SHIPPED

_DOWNLOADS = 16
_VALIDATION = ("validation", "validation_lst")
_OTHER_TEST = "other_test"
_SHIPPED_NAME = "the shipped model"


@dataclass(frozen=True)
class ComparedModels:
    """A comparison, with where the old model is from and the S3 prefix of the images."""

    job: str
    old: str
    dataset: str
    comparison: Comparison


def compare_with_served(session: boto3.Session, outputs: StackOutputs, job: str, advance: Advance) -> ComparedModels:
    """Compare a completed job's model with the endpoint's, or with the shipped one if there is no endpoint.

    Raises JobNotFound, JobFailed, or NotComparable with the reason.
    """
    status = jobs.completed_status(session, job)
    if status.is_builtin or status.model_artifact is None or not all(name in status.channels for name in _VALIDATION):
        raise NotComparable(job, "only models of the recipe vehicle-net with a validation channel can be compared")
    served = _served_model(session, outputs.endpoint_name)
    s3 = session.client("s3", config=Config(max_pool_connections=_DOWNLOADS))
    with (
        _loaded(s3, job, status.model_artifact, outputs.labels) as new,
        _loaded(s3, job, served, outputs.labels) as old,
    ):
        dataset, images = _images(s3, status)
        predictions: tuple[list[Prediction], list[Prediction]] = ([], [])
        confidences: tuple[list[float], list[float]] = ([], [])
        for number, (content, label) in enumerate(images, start=1):
            for model, known, neither in zip((new, old), predictions, confidences, strict=True):
                first, second = model.classify(content)
                if label is None:
                    neither.append(max(first, second))
                else:
                    known.append(Prediction(label, (first, second)))
            advance(number, len(images))
    compared = compare(*predictions, outputs.threshold, confidences)
    return ComparedModels(job, served or _SHIPPED_NAME, dataset, compared)


def _served_model(session: boto3.Session, endpoint: str) -> str | None:
    """Return the URI of the model artifact that the endpoint serves, or None if there is no endpoint."""
    try:
        return endpoint_deployment.status(session, endpoint).model_data_url
    except EndpointNotFound:
        return None


@contextmanager
def _loaded(s3: Any, job: str, artifact: str | None, labels: Labels) -> Iterator[Model]:
    """Load a model artifact, or the shipped model if ``uri`` is None. Raises NotComparable."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = SHIPPED
        try:
            if artifact is not None:
                archive, directory = Path(scratch) / "model.tar.gz", Path(scratch) / "model"
                store(_body(s3, S3Uri.parse(artifact)), archive, DEFAULT_LIMITS.stored)
                unpack(archive, directory, DEFAULT_LIMITS)
            model = load(directory, labels=labels)
        except (ServingError, ClientError, tarfile.TarError, OSError, ValueError) as error:
            raise NotComparable(job, f"{artifact or _SHIPPED_NAME} cannot be loaded: {error}") from error
        yield model


def _images(s3: Any, status: JobStatus) -> tuple[str, Sequence[tuple[bytes, int | None]]]:
    """Return where the dataset is, and its test images with their labels, None for those of neither.

    Images of neither class were staged next to the validation channel or not at all.
    """
    folder = S3Uri.parse(status.channels["validation"])
    listing = S3Uri.parse(status.channels["validation_lst"])
    prefix = folder.key.rstrip("/").rpartition("/")[0]
    neither = S3Uri(folder.bucket, f"{prefix}/{_OTHER_TEST}.lst")
    labelled: list[tuple[str, int | None]] = [
        (f"{folder.key}{entry.file}", entry.label) for entry in parse_lst(_text(s3, listing), str(listing))
    ]
    if has_objects(s3, neither):
        others = parse_lst(_text(s3, neither), str(neither))
        labelled += [(f"{prefix}/{_OTHER_TEST}/{entry.file}", None) for entry in others]
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        contents = list(pool.map(lambda each: _content(s3, S3Uri(folder.bucket, each[0])), labelled))
    return f"s3://{folder.bucket}/{prefix}", [
        (content, label) for content, (_, label) in zip(contents, labelled, strict=True)
    ]


def _body(s3: Any, uri: S3Uri) -> Any:
    return s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"]


def _content(s3: Any, uri: S3Uri) -> bytes:
    return bytes(_body(s3, uri).read())


def _text(s3: Any, uri: S3Uri) -> str:
    return _content(s3, uri).decode()


def figures(models: ComparedModels) -> dict[str, Any]:
    """Return the comparison as plain JSON values."""
    compared = models.comparison
    return {
        "job": models.job,
        "compared_with": models.old,
        "dataset": models.dataset,
        **{name: asdict(getattr(compared, name)) for name in ("accuracy", "accepted")},
        "neither_accepted": asdict(compared.neither) if compared.neither else None,
        "better": compared.is_better,
    }


def sentences(models: ComparedModels) -> dict[str, str]:
    """Return the comparison for people: each row's name and text."""
    compared = models.comparison
    neither = "not compared: no images of other classes are staged (`scones stage --others`)"
    return {
        "new": f"{models.job}, accuracy {describe_rate(compared.new.accuracy)}",
        "old": f"{models.old}, accuracy {describe_rate(compared.old.accuracy)}",
        "images": models.dataset,
        "accuracy": describe_difference(compared.accuracy),
        "accepted": describe_difference(compared.accepted),
        "neither accepted": describe_difference(compared.neither) if compared.neither else neither,
        "result": "the new model is better" if compared.is_better else "the new model is not shown to be better",
    }

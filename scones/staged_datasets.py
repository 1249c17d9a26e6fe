"""Datasets: where their images come from, on disk below the home, and in the stack's bucket."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import boto3
import numpy as np
from botocore.config import Config

from core.defaults import DATASETS
from core.labels import VEHICLES, Labels, dataset_name
from scones import __version__
from scones.console import Advance, warn
from scones.errors import NothingToRender
from scones.settings import Settings
from training.data.cifar_archive import CifarSource
from training.data.cifar_download import locate_archive
from training.data.dataset_manifest import MANIFEST, read_manifest
from training.data.dataset_upload import upload
from training.data.errors import DataError, NotStaged
from training.data.labelled_images import SPLITS, ImageSource
from training.data.staging import StagedDataset
from training.data.staging import stage as write_dataset
from training.data.synthetic import SyntheticSource

Item = TypeVar("Item")
_UPLOADS = 16
_OTHERS = re.compile(r" others:(\d+)")


@dataclass(frozen=True)
class UploadedDataset:
    """A dataset in S3; ``labels`` gives each key of the test split its label, 0 or 1.

    ``other`` is the number of images of other classes, of both splits.
    """

    name: str
    prefix: str
    train: int
    other: int
    labels: dict[str, int]
    uploaded: int
    skipped: int


@dataclass(frozen=True)
class LabelledFile:
    """An image on disk and its label, or None if it shows neither class."""

    path: Path
    label: int | None


def choose_source(
    settings: Settings,
    advance: Advance,
    *,
    synthetic: bool = False,
    labels: Labels = VEHICLES,
    others: int | None = None,
    may_render: bool = True,
) -> ImageSource:
    """Return CIFAR-100 from the archive named, from the cache or by download; rendered vehicles where that fails.

    An archive that was named and cannot be read is an error, and so is no CIFAR-100 if its labels cannot be rendered
    or ``may_render`` is False. ``others`` is the number of images of other classes; by default as many as the dataset
    was staged with before. Raises a DataError or NothingToRender.
    """
    can_render = labels == VEHICLES
    if synthetic:
        if not can_render:
            raise NothingToRender(labels)
        return _rendered(settings, others)
    try:
        archive, dataset = locate_archive(settings.archive, settings.cache, progress=advance), dataset_name(labels)
        return CifarSource(archive, labels, dataset, _staged_others(settings, dataset) if others is None else others)
    except DataError as error:
        if settings.archive is not None or not can_render or not may_render:
            raise
        warn("no CIFAR-100", f"{error}; rendered vehicles are used instead")
        return _rendered(settings, others)


def _rendered(settings: Settings, others: int | None) -> ImageSource:
    return SyntheticSource(others=_staged_others(settings, SyntheticSource.dataset) if others is None else others)


def _staged_others(settings: Settings, dataset: str) -> int:
    """Return how many images of other classes the dataset was last staged with."""
    try:
        fingerprint = read_manifest(settings.datasets / dataset).source
    except NotStaged:
        return 0
    match = _OTHERS.search(fingerprint)
    return int(match[1]) if match else 0


def write_to_disk(source: ImageSource, settings: Settings, advance: Advance) -> StagedDataset:
    """Write the images and .lst files of ``source`` below the home; files that are there already are kept."""
    folder = settings.datasets / source.dataset
    return write_dataset(source, folder, progress=advance, tool=f"scones {__version__}")


def upload_dataset(
    source: ImageSource, session: boto3.Session, settings: Settings, bucket: str, advance: Advance
) -> UploadedDataset:
    """Write a dataset to disk and upload it; objects that are there already are kept."""
    staged = write_to_disk(source, settings, advance)
    prefix = f"{DATASETS}/{source.dataset}"
    s3 = session.client("s3", config=Config(max_pool_connections=_UPLOADS))
    report = upload(staged.path, s3, bucket, prefix, progress=advance, workers=_UPLOADS)
    labels = {f"{prefix}/{path}": label for path, label in labels_by_path(staged, "test").items()}
    files = staged.manifest.files.values()
    train = sum(file.split == "train" for file in files)
    other = sum(file.split is not None and file.label is None for file in files)
    return UploadedDataset(source.dataset, prefix, train, other, labels, report.uploaded, report.skipped)


def labels_by_path(staged: StagedDataset, split: Literal["train", "test"]) -> dict[str, int]:
    """Return the label of each image of a split, by its path in the dataset's folder."""
    files = staged.manifest.images(split)
    return {path: file.label for path, file in files.items() if file.label is not None}


def labelled_files(staged: StagedDataset, split: Literal["train", "test"]) -> list[LabelledFile]:
    """Return the images of a split, sorted by path."""
    return [LabelledFile(staged.path / path, label) for path, label in sorted(labels_by_path(staged, split).items())]


def labels_by_key(folder: Path) -> dict[str, int]:
    """Return the label of every image of the datasets in ``folder``, by its key in S3; damaged ones are skipped."""
    labels = {}
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        try:
            manifest = read_manifest(path.parent)
        except DataError:
            continue
        for split in SPLITS:
            for file_path, file in manifest.images(split).items():
                if file.label is not None:
                    labels[f"{DATASETS}/{path.parent.name}/{file_path}"] = file.label
    return labels


def sample(items: Sequence[Item], label_of: Callable[[Item], int | None], count: int, seed: int = 0) -> list[Item]:
    """Return up to ``count`` items, alternating between the classes, shuffled within each as ``seed`` says."""
    shuffled = [items[i] for i in np.random.default_rng(seed).permutation(len(items))]
    classes: dict[int, list[Item]] = {}
    for item in shuffled:
        if (label := label_of(item)) is not None:
            classes.setdefault(label, []).append(item)
    ordered = [classes[label] for label in sorted(classes)]
    alternating = itertools.chain.from_iterable(itertools.zip_longest(*ordered))
    return [item for item in alternating if item is not None][:count]

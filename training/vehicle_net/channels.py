"""Staged channels (images and a .lst file) and rendered images as arrays of pixels and labels."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import MalformedLst
from core.lst_files import Entry, read_lst
from training.data.synthetic import Kind, render_many
from training.serving.errors import ImageError
from training.serving.model import Preprocessing, decode, to_pixels
from training.vehicle_net.errors import MalformedChannel
from training.vehicle_net.hyperparameters import Hyperparameters

TRAINING_SEEDS = 10_000_000
"""First seed of the vehicles that are rendered for training; those that are rendered for scoring lie elsewhere."""
SCORING_SEEDS = 50_000_000
NEITHER = 2
"""The label of images that show neither of the two."""
MIN_SIDE = 16
"""Side in pixels under which images are scaled up before they are degraded."""
SMALL_SHARE = 0.4
"""Share of the rendered vehicles that are small in their scene."""
_SCENES_APART = 5_000_000
"""Seeds between rendered vehicles and rendered scenes."""


@dataclass(frozen=True)
class Images:
    """Pixels (N, S, S, 3) uint8 and labels (N,): 0 or 1, as the recipe names them, or NEITHER."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        """The same for the same pixels and labels in the same order."""
        return hashlib.sha256(self.pixels.tobytes() + self.labels.tobytes()).hexdigest()

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Images":
        """The images at which `chosen` is true."""
        return Images(self.pixels[chosen], self.labels[chosen])

    def __add__(self, other: "Images") -> "Images":
        return Images(np.concatenate([self.pixels, other.pixels]), np.concatenate([self.labels, other.labels]))


def preprocessing(hyperparameters: Hyperparameters) -> Preprocessing:
    """How images are resized for the network."""
    return Preprocessing(size=hyperparameters.size, through=hyperparameters.through or None)


def training_side(hyperparameters: Hyperparameters) -> int:
    """Side of the images that the network is trained on."""
    return hyperparameters.training_size or hyperparameters.size


def _listing(path: Path) -> Path:
    """The .lst file that `path` is or, as a SageMaker channel directory, holds."""
    if path.is_file():
        return path
    files = sorted(path.glob("*.lst")) if path.is_dir() else []
    if len(files) != 1:
        raise MalformedChannel(path, f"holds {len(files)} .lst files; one is needed")
    return files[0]


def read_listing(path: Path, *, labelled: bool = True) -> list[Entry]:
    """The lines of the .lst file at `path` or in the directory `path`; if `labelled`, with the labels 0 and 1.

    Raises MalformedChannel.
    """
    listing = _listing(path)
    try:
        entries = read_lst(listing)
    except (MalformedLst, OSError) as error:
        raise MalformedChannel(listing, str(error)) from error
    if not entries:
        raise MalformedChannel(listing, "lists no image")
    for entry in entries:
        if labelled and entry.label > 1:
            raise MalformedChannel(listing, f"label {entry.label} of {entry.file} is neither 0 nor 1")
    return entries


def _decoded(images: Path, entries: list[Entry]) -> Iterator[Image.Image]:
    for entry in entries:
        file = images / entry.file
        try:
            yield decode(file.read_bytes())
        except (ImageError, OSError) as error:
            raise MalformedChannel(file, str(error)) from error


def _labels(entries: list[Entry], *, labelled: bool) -> npt.NDArray[np.int64]:
    return np.array([entry.label if labelled else NEITHER for entry in entries], np.int64)


def read_channel(images: Path, listing: Path, spec: Preprocessing, *, labelled: bool = True) -> Images:
    """Decode the images that `listing` names under `images`, each as `spec` says; unless `labelled`, they are NEITHER.

    Raises MalformedChannel.
    """
    entries = read_listing(listing, labelled=labelled)
    pixels = np.empty((len(entries), spec.size, spec.size, 3), np.uint8)
    for position, image in enumerate(_decoded(images, entries)):
        pixels[position] = to_pixels(image, spec)
    return Images(pixels, _labels(entries, labelled=labelled))


def stored_side(images: Path, listing: Path, hyperparameters: Hyperparameters, *, labelled: bool = True) -> int:
    """Side of the squares that a channel is kept as for training: its largest image's, at most what training takes.

    Raises MalformedChannel.
    """
    entries = read_listing(listing, labelled=labelled)
    largest = max(max(image.size) for image in _decoded(images, entries))
    return min(max(largest, MIN_SIDE), training_side(hyperparameters), hyperparameters.through or largest)


def read_as_stored(images: Path, listing: Path, hyperparameters: Hyperparameters, *, labelled: bool = True) -> Images:
    """Decode a channel for training, at its ``stored_side``. Raises MalformedChannel."""
    side = stored_side(images, listing, hyperparameters, labelled=labelled)
    return read_channel(images, listing, Preprocessing(side), labelled=labelled)


def resized(images: Images, spec: Preprocessing) -> Images:
    """Resize stored images to the network's input."""
    pixels = np.empty((len(images), spec.size, spec.size, 3), np.uint8)
    for position, stored in enumerate(images.pixels):
        pixels[position] = to_pixels(Image.fromarray(stored), spec)
    return Images(pixels, images.labels)


def rendered(
    count: int, first_seed: int, spec: Preprocessing, *, side: int = 32, workers: int = 1, far: float = 0.0
) -> Images:
    """`count` rendered vehicles, bicycles and motorcycles in turn, rendered at `side` pixels and resized.

    `far` is the share of them that is small in its scene.
    """
    labels = np.arange(count, dtype=np.int64) % 2
    images = render_many(labels.tolist(), first_seed, side, workers=workers, far=far)
    return resized(Images(np.stack(list(images)), labels), spec)


def _pool(kinds: Sequence[int | Kind], first_seed: int, hyperparameters: Hyperparameters, workers: int) -> Images:
    side = training_side(hyperparameters)
    pixels = np.stack(list(render_many(kinds, first_seed, side, workers=workers, far=SMALL_SHARE)))
    return Images(pixels, np.array([NEITHER if kind == "scene" else kind for kind in kinds], np.int64))


def rendered_vehicles(hyperparameters: Hyperparameters, *, workers: int = 1) -> Images | None:
    """The vehicles that training draws from, or None if the recipe has none or other labels."""
    if not hyperparameters.rendered or not hyperparameters.vehicles or not hyperparameters.of_vehicles:
        return None
    return _pool([number % 2 for number in range(hyperparameters.rendered)], TRAINING_SEEDS, hyperparameters, workers)


def rendered_scenes(hyperparameters: Hyperparameters, *, workers: int = 1) -> Images | None:
    """The scenes without a bicycle or a motorcycle that training draws from, or None if the recipe has none."""
    if not hyperparameters.rendered or not hyperparameters.scenes or not hyperparameters.of_vehicles:
        return None
    return _pool(["scene"] * hyperparameters.rendered, TRAINING_SEEDS + _SCENES_APART, hyperparameters, workers)


@dataclass(frozen=True)
class Material:
    """Training images: those of the train and the other channel as stored, and rendered ones."""

    real: Images
    others: Images | None = None
    vehicles: Images | None = None
    scenes: Images | None = None

    @property
    def knows_neither(self) -> bool:
        """Whether a network can learn from it what neither looks like."""
        return self.others is not None

    def digest(self) -> str:
        """The same for the same images in the same order."""
        parts = (self.real, self.others, self.vehicles, self.scenes)
        return hashlib.sha256("/".join(part.digest() if part else "" for part in parts).encode()).hexdigest()

    def where(self, real: npt.NDArray[np.bool_], others: npt.NDArray[np.bool_] | None) -> "Material":
        """The same with only some of the staged images."""
        some = self.others if self.others is None or others is None else self.others.where(others)
        return replace(self, real=self.real.where(real), others=some)


@dataclass(frozen=True)
class ScoringImages:
    """Images at the size of the network's input: those of the train, the other and the validation channel."""

    real: Images
    others: Images | None = None
    validation: Images | None = None

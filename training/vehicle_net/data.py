"""Staged channels (images and a .lst file) and rendered vehicles as arrays of pixels and labels."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import MalformedLst
from core.lst_files import Entry, read_lst
from training.data.synthetic import render_many
from training.serving.errors import ImageError
from training.serving.image_decoding import decode
from training.serving.preprocessing import Preprocessing, to_pixels
from training.vehicle_net.errors import MalformedChannel
from training.vehicle_net.recipe import Recipe

TRAINING_SEEDS = 10_000_000
"""First seed of the vehicles that are rendered for training; those that are rendered for scoring lie elsewhere."""
SCORING_SEEDS = 50_000_000


@dataclass(frozen=True)
class Images:
    """Pixels (N, S, S, 3) uint8 and labels (N,), 0 or 1, as the recipe names them."""

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


def preprocessing(recipe: Recipe) -> Preprocessing:
    """How images are brought to size before the network answers them."""
    return Preprocessing(size=recipe.size, through=recipe.through or None)


def training_preprocessing(recipe: Recipe) -> Preprocessing:
    """How images are brought to size before the network is trained on them."""
    return Preprocessing(size=recipe.training_size or recipe.size, through=recipe.through or None)


def _listing(path: Path) -> Path:
    """The .lst file that `path` is or, as a SageMaker channel directory, holds."""
    if path.is_file():
        return path
    found = sorted(path.glob("*.lst")) if path.is_dir() else []
    if len(found) != 1:
        raise MalformedChannel(path, f"holds {len(found)} .lst files; one is needed")
    return found[0]


def read_listing(path: Path) -> list[Entry]:
    """The lines of the .lst file at `path` or in the directory `path`. Raises MalformedChannel."""
    listing = _listing(path)
    try:
        entries = read_lst(listing)
    except (MalformedLst, OSError) as error:
        raise MalformedChannel(listing, str(error)) from error
    if not entries:
        raise MalformedChannel(listing, "lists no image")
    for entry in entries:
        if entry.label > 1:
            raise MalformedChannel(listing, f"label {entry.label} of {entry.file} is neither 0 nor 1")
    return entries


def read_channel(images: Path, listing: Path, spec: Preprocessing) -> Images:
    """Decode the images that `listing` names under `images`, each as `spec` says. Raises MalformedChannel."""
    entries = read_listing(listing)
    pixels = np.empty((len(entries), spec.size, spec.size, 3), np.uint8)
    for position, entry in enumerate(entries):
        file = images / entry.file
        try:
            pixels[position] = to_pixels(decode(file.read_bytes()), spec)
        except (ImageError, OSError) as error:
            raise MalformedChannel(file, str(error)) from error
    return Images(pixels, np.array([entry.label for entry in entries], np.int64))


def brought_to_size(images: Images, spec: Preprocessing) -> Images:
    """Stored pictures of any size as the network's input."""
    pixels = np.empty((len(images), spec.size, spec.size, 3), np.uint8)
    for position, picture in enumerate(images.pixels):
        pixels[position] = to_pixels(Image.fromarray(picture), spec)
    return Images(pixels, images.labels)


def rendered(count: int, first_seed: int, spec: Preprocessing, *, side: int = 32, workers: int = 1) -> Images:
    """`count` rendered vehicles, bicycles and motorcycles in turn, drawn at `side` pixels and brought to size."""
    labels = np.arange(count, dtype=np.int64) % 2
    pictures = render_many(labels.tolist(), first_seed, side, workers=workers)
    return brought_to_size(Images(np.stack(list(pictures)), labels), spec)


def rendered_pool(recipe: Recipe, *, workers: int = 1) -> Images | None:
    """The rendered vehicles that training draws from; None where the recipe wants none or is about something else."""
    if not recipe.rendered or not recipe.of_vehicles:
        return None
    return rendered(recipe.rendered, TRAINING_SEEDS, training_preprocessing(recipe), workers=workers)

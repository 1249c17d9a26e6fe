"""How many images of neither label a model accepts, by kind, and its score on photographs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data.synthetic import Kind, render_many
from training.serving.errors import ImageError
from training.serving.model import Preprocessing, decode, to_pixels
from training.vehicle_net.channels import NEITHER, SCORING_SEEDS, Images
from training.vehicle_net.errors import MalformedChannel
from training.vehicle_net.metrics import Accepted, Score

RENDERED = 500
FRAMES = 200
_SIDE = 128
_FIRST_SEED = SCORING_SEEDS + 5_000_000
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})

Floats = npt.NDArray[np.floating]
Predict = Callable[[Images], Floats]
"""Probabilities (N, 2) of images as they are stored."""


def _plain(random: np.random.Generator) -> npt.NDArray[np.floating]:
    return np.broadcast_to(random.integers(0, 256, 3), (_SIDE, _SIDE, 3)).astype(float)


def _grey(random: np.random.Generator) -> npt.NDArray[np.floating]:
    return np.full((_SIDE, _SIDE, 3), random.choice((0, 32, 64, 128, 192, 255)), float)


def _gradient(random: np.random.Generator) -> npt.NDArray[np.floating]:
    share = np.linspace(0, 1, _SIDE)[:, None, None]
    first, last = random.integers(0, 256, (2, 3))
    ramp = np.broadcast_to(first * (1 - share) + last * share, (_SIDE, _SIDE, 3))
    return ramp.transpose(1, 0, 2) if random.random() < 0.5 else ramp


def _noise(random: np.random.Generator) -> npt.NDArray[np.floating]:
    colours = random.choice((1, 3))
    return random.uniform(40, 215) + random.uniform(5, 80) * random.standard_normal((_SIDE, _SIDE, colours)) * np.ones(
        3
    )


def frames(count: int = FRAMES, seed: int = 0) -> Images:
    """Frames without content: black, grey, white, of one colour, gradients and noise."""
    random = np.random.default_rng(seed)
    makers = (_grey, _plain, _gradient, _noise)
    pixels = np.stack([np.clip(makers[number % len(makers)](random), 0, 255) for number in range(count)])
    return Images(pixels.astype(np.uint8), np.full(count, NEITHER))


def rendered(kind: Kind, count: int = RENDERED) -> Images:
    """Rendered images of one kind, of seeds that no training uses."""
    pixels = np.stack(list(render_many([kind] * count, _FIRST_SEED, _SIDE, workers=2)))
    return Images(pixels, np.full(count, NEITHER))


def accepted_by_kind(predict: Predict, other_test: Images | None) -> Iterator[tuple[str, Accepted]]:
    """Each kind of image and how many of it are accepted."""
    if other_test is not None:
        yield "images of other classes, test split", Accepted.of(predict(other_test))
    yield "rendered cars", Accepted.of(predict(rendered("car")))
    yield "rendered scenes without a bicycle or motorcycle", Accepted.of(predict(rendered("scene")))
    yield "frames without content", Accepted.of(predict(frames()))


def photographs(folder: Path, spec: Preprocessing) -> tuple[list[str], npt.NDArray[np.uint8]]:
    """Kinds, by their names, and pixels at the network's size of the images in `folder`. Raises MalformedChannel."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise MalformedChannel(folder, "holds no images")
    pixels = []
    for file in files:
        try:
            pixels.append(to_pixels(decode(file.read_bytes()), spec))
        except (ImageError, OSError) as error:
            raise MalformedChannel(file, str(error)) from error
    return [file.stem.rstrip("0123456789-") for file in files], np.stack(pixels)


def score_photographs(
    folder: Path, names: tuple[str, str], spec: Preprocessing, predict: Callable[[npt.NDArray[np.uint8]], Floats]
) -> tuple[Score, list[tuple[str, Accepted]]]:
    """The score on photographs in the folders of both labels, and what is accepted of `neither`, in all and by kind.

    Raises MalformedChannel.
    """
    predictions = [predict(photographs(folder / name, spec)[1]) for name in names]
    labels = np.repeat([0, 1], [len(each) for each in predictions])
    kinds, pixels = photographs(folder / "neither", spec)
    of_neither = predict(pixels)
    rows = [("photographs of neither", Accepted.of(of_neither))]
    rows += [(f"of these: {kind}", Accepted.of(of_neither[np.array(kinds) == kind])) for kind in sorted(set(kinds))]
    return Score.of(np.concatenate(predictions), labels), rows

"""Rendered vehicles: bicycles and motorcycles drawn by program, the same for the same seed on every machine."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.data.labelled_images import OTHER_SPLITS, SPLITS, LabelledImage, LabelledImages
from training.data.rendering.bicycle import bicycle
from training.data.rendering.camera import Pose, draw, look
from training.data.rendering.car import car
from training.data.rendering.motorcycle import motorcycle
from training.data.rendering.scene import backdrop, foreground, shadow
from training.data.rendering.scenes_of_neither import scene_of_neither
from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.weather import Severity, degrade, everyday

Kind = Literal["bicycle", "motorcycle", "car", "scene"]
Pixels = NDArray[np.uint8]

KINDS: tuple[Kind, ...] = ("bicycle", "motorcycle", "car", "scene")
_FARTHEST, _NEAREST = 0.12, 0.7  # share of the frame that a vehicle takes that is small in its scene
_MODELS = {"bicycle": bicycle, "motorcycle": motorcycle, "car": car}
_CHUNK = 64
_SPLIT_APART = 1 << 40  # seeds between one split and the next
_OTHERS_APART = 1 << 39  # seeds between a split's vehicles and its scenes of neither


def render(label: int | Kind, seed: int, size: int = 32, severity: Severity | None = None, far: float = 0.0) -> Pixels:
    """Return one image, (size, size, 3) RGB. ``label`` is 0 (bicycle), 1 (motorcycle) or a kind, such as "car".

    The seed alone settles scene, pose, light and everyday weather, so that two labels of one seed differ in the vehicle
    only. ``severity`` comes on top, for drift and robustness tests. ``far`` is how likely the vehicle is small in its
    scene. "scene" is one without a bicycle or a motorcycle.
    """
    kind = KINDS[label] if isinstance(label, int) else label
    scene = SeededRandom("scene", seed)
    side = size * _supersampling(size)
    if kind == "scene":
        image = scene_of_neither(scene, side)
    else:
        image = backdrop(scene, side)
        body = _MODELS[kind](SeededRandom(kind, seed))
        view = look(body, _pose(scene, SeededRandom("far", seed), far), side)
        shadow(image, view, scene)
        draw(body, view, ImageDraw.Draw(image))
        foreground(image, scene)
    small = np.asarray(image.reduce(side // size) if side > size else image)
    pixels = degrade(_expose(small, scene), everyday(scene), seed)
    return np.ascontiguousarray(degrade(pixels, severity, seed + 1) if severity else pixels)


def render_png(label: int | Kind, seed: int, size: int) -> bytes:
    """Return a rendered image as PNG, the same for the same arguments."""
    content = io.BytesIO()
    Image.fromarray(render(label, seed, size)).save(content, "PNG")
    return content.getvalue()


def _pose(scene: SeededRandom, distance: SeededRandom, far: float) -> Pose:
    pose = Pose.draw(scene)
    if not distance.chance(far):
        return pose
    fill = _FARTHEST * (_NEAREST / _FARTHEST) ** distance.between(0, 1)
    room = 0.45 * (1 - fill)
    return replace(pose, fill=fill, shift=(distance.between(-room, room), distance.between(-room / 2, room)))


def render_many(
    labels: Sequence[int | Kind],
    first_seed: int,
    size: int = 32,
    severity: Severity | None = None,
    workers: int = 1,
    far: float = 0.0,
) -> Iterator[Pixels]:
    """Render one image for each label, seeded ``first_seed`` and counting up, in order, on ``workers`` processes."""
    seeds = range(first_seed, first_seed + len(labels))
    if workers <= 1:
        yield from map(render, labels, seeds, repeat(size), repeat(severity), repeat(far))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(render, labels, seeds, repeat(size), repeat(severity), repeat(far), chunksize=_CHUNK)


@dataclass(frozen=True)
class SyntheticSource:
    """Rendered bicycles and motorcycles in turn, staged like any other dataset."""

    train: int = 1000
    test: int = 200
    size: int = 32
    seed: int = 0
    workers: int = 1
    severity: Severity | None = None
    dataset: str = "synthetic"
    classes: tuple[str, ...] = KINDS[:2]
    others: int = 0
    """Scenes without a bicycle or a motorcycle in the split `other`, and half as many in `other_test`."""

    def fingerprint(self) -> str:
        """Return all that determines the images: the settings, the renderer's own code and Pillow."""
        code = hashlib.sha256()
        for file in sorted([Path(__file__), *(Path(__file__).parent / "rendering").glob("*.py")]):
            code.update(file.read_bytes())
        settings = f"{self.train}+{self.test} at {self.size} seed {self.seed} {self.severity}"
        others = f" others:{self.others}" if self.others else ""
        return f"renderer {code.hexdigest()[:16]} pillow {PIL.__version__} {settings}{others}"

    def images(self) -> LabelledImages:
        """Return the images; no seed of one split ever occurs in another."""
        return LabelledImages(self.train + self.test + self.others + self.others // 2, self._each())

    def _each(self) -> Iterator[LabelledImage]:
        for number, (split, count) in enumerate(zip(SPLITS, (self.train, self.test), strict=True)):
            labels = [row % 2 for row in range(count)]
            first = self.seed * len(SPLITS) * _SPLIT_APART + number * _SPLIT_APART
            images = render_many(labels, first, self.size, self.severity, self.workers)
            for row, (label, pixels) in enumerate(zip(labels, images, strict=True)):
                yield LabelledImage(split, row, f"{KINDS[label]}_{row:06d}.png", label, pixels)
        for number, (split, count) in enumerate(zip(OTHER_SPLITS, (self.others, self.others // 2), strict=True)):
            first = (self.seed * len(SPLITS) + number) * _SPLIT_APART + _OTHERS_APART
            kinds: list[int | Kind] = ["scene"] * count
            for row, pixels in enumerate(render_many(kinds, first, self.size, self.severity, self.workers)):
                yield LabelledImage(split, row, f"neither_{row:06d}.png", len(self.classes), pixels)


def _supersampling(size: int) -> int:
    return 4 if size <= 64 else 3 if size <= 128 else 2


def _expose(pixels: Pixels, random: SeededRandom) -> Pixels:
    """Vary brightness, contrast and colour temperature as cameras do."""
    gain, lift = random.near(1.08, 0.3), random.near(8, 25)
    warm = random.near(0, 0.12) if random.chance(0.5) else 0.0
    if random.chance(0.04):
        pixels = np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))
    balance = np.array((1 + warm, 1.0, 1 - warm), dtype=np.float32) * np.float32(gain)
    return np.clip(pixels * balance + np.float32(lift), 0, 255).astype(np.uint8)

"""What spoils an image, each in a strength from 0 (not at all) to 1 (hardly recognisable). Works on any image."""

import io
import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from training.data.rendering.colour import paint
from training.data.rendering.seeded_random import SeededRandom

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Severity:
    """How much of each disturbance an image gets, 0 to 1."""

    night: float = 0.0  # dark and blue, lit from one spot
    blur: float = 0.0  # out of focus or moving; 1 is a standard deviation of a tenth of the image's side
    noise: float = 0.0  # of the sensor; 1 is a standard deviation of 80 grey levels
    darkening: float = 0.0  # underexposure; 1 leaves a twentieth of the light
    rain: float = 0.0
    occlusion: float = 0.0  # 1 covers half the image
    jpeg: float = 0.0  # 1 is quality 4

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"severity {field.name} is {value}: it goes from 0 to 1")


_EVERYDAY = {"night": 0.6, "blur": 0.2, "noise": 0.15, "darkening": 0.35, "rain": 0.5, "occlusion": 0.2, "jpeg": 0.85}


def degrade(pixels: Pixels, severity: Severity, seed: int) -> Pixels:
    """Return ``pixels`` (height, width, 3) spoilt as ``severity`` says; ``seed`` settles where and which way."""
    return _apply(pixels, severity, SeededRandom("weather", seed))


def everyday(random: SeededRandom) -> Severity:
    """Return what ordinary images suffer: mostly nothing, else one thing or two, and not too much of either."""
    spoilt: dict[str, float] = {}
    if random.chance(0.45):
        for _ in range(random.count(1, 2)):
            name = random.pick(tuple(_EVERYDAY))
            spoilt[name] = random.between(0.0, _EVERYDAY[name])
        if "night" in spoilt:
            spoilt.pop("darkening", None)
    return Severity(**spoilt)


def _apply(pixels: Pixels, severity: Severity, random: SeededRandom) -> Pixels:
    if severity.occlusion:
        pixels = _occlude(pixels, severity.occlusion, random)
    if severity.rain:
        pixels = _rain(pixels, severity.rain, random)
    if severity.night:
        pixels = _night(pixels, severity.night, random)
    if severity.darkening:
        pixels = _whole(pixels * 20**-severity.darkening)
    if severity.blur:
        pixels = _blur(pixels, severity.blur, random)
    if severity.noise:
        pixels = _noise(pixels, severity.noise, random)
    if severity.jpeg:
        pixels = _jpeg(pixels, severity.jpeg)
    return pixels


def _occlude(pixels: Pixels, level: float, random: SeededRandom) -> Pixels:
    """Cover half of ``level`` of the image with a block of one colour."""
    height, width = pixels.shape[:2]
    area, stretch = level / 2, random.between(0.6, 1.6)
    w = min(1.0, max(area, math.sqrt(area * stretch)))
    h = min(1.0, area / w)
    x, y = random.between(0, 1 - w), random.between(0, 1 - h)
    spoilt = pixels.copy()
    rows = slice(round(y * height), round((y + h) * height))
    spoilt[rows, round(x * width) : round((x + w) * width)] = paint(random)
    return spoilt


def _rain(pixels: Pixels, level: float, random: SeededRandom) -> Pixels:
    height, width = pixels.shape[:2]
    unit = max(width, height)
    veil = Image.new("L", (width, height), int(70 * level))
    canvas, slant = ImageDraw.Draw(veil), random.near(0, 0.4)
    for _ in range(int(90 * level) + 3):
        x, y, long = (
            random.between(-0.1, 1.1) * width,
            random.between(-0.1, 1) * height,
            unit * random.between(0.05, 0.2),
        )
        tone = int(random.between(90, 190))
        canvas.line(
            (x, y, x + slant * long, y + long), fill=tone, width=max(1, round(unit * random.between(0.004, 0.014)))
        )
    share = np.asarray(veil, dtype=np.float32)[:, :, None] / 255
    return _whole(pixels * (1 - share) + 205 * share)


def _night(pixels: Pixels, level: float, random: SeededRandom) -> Pixels:
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy, reach = (
        random.between(0.1, 0.9) * width,
        random.between(0.2, 0.9) * height,
        random.between(0.3, 0.7) * max(width, height),
    )
    lamp = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * reach * reach))[:, :, None]
    blue, warm = np.array((0.55, 0.7, 1.0), dtype=np.float32), np.array((1.0, 0.85, 0.6), dtype=np.float32)
    light = (1 - 0.93 * level) * ((1 - level) + level * blue) + level * random.between(0.05, 0.4) * lamp * warm
    return _whole(pixels * light)


def _blur(pixels: Pixels, level: float, random: SeededRandom) -> Pixels:
    side = max(pixels.shape[:2])
    if random.chance(0.5):
        image = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.1 * level * side))
        return np.asarray(image)
    angle, long = random.between(-0.5, 0.5), 0.3 * level * side
    steps = max(2, min(24, round(long) + 1))
    reach = math.ceil(long / 2) + 1
    padded = np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total = np.zeros(pixels.shape, dtype=np.float32)
    for k in range(steps):
        along = long * (k / (steps - 1) - 0.5)
        dx, dy = round(along * math.cos(angle)), round(along * math.sin(angle))
        total += padded[reach + dy : reach + dy + pixels.shape[0], reach + dx : reach + dx + pixels.shape[1]]
    return _whole(total / steps)


def _noise(pixels: Pixels, level: float, random: SeededRandom) -> Pixels:
    """Add grain; it grows with the image, so that a large one looks as noisy as a small one."""
    height, width = pixels.shape[:2]
    grain = max(1, max(height, width) // 64)
    rolls = random.noise(3, -(-height // grain), -(-width // grain), 3).astype(np.float32).sum(axis=0)
    bell = (rolls - 382.5) / 128.0
    if grain > 1:
        bell = bell.repeat(grain, axis=0).repeat(grain, axis=1)[:height, :width]
    return _whole(pixels + bell * (80 * level))


def _jpeg(pixels: Pixels, level: float) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=round(95 - 91 * level))
    return np.asarray(Image.open(buffer))


def _whole(pixels: NDArray[np.floating[Any]]) -> Pixels:
    spoilt: Pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    return spoilt

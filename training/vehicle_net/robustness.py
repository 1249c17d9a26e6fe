"""Disturbances of three severities each, in physical units, for the robustness table."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from training.vehicle_net.channels import Images

Pixels = npt.NDArray[np.uint8]
Disturbance = Callable[[Pixels, float, np.random.Generator], Pixels]


def _blur(pixels: Pixels, radius: float, _: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _noise(pixels: Pixels, deviation: float, random: np.random.Generator) -> Pixels:
    noisy = pixels + random.normal(0, deviation, pixels.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


def _darken(pixels: Pixels, light: float, _: np.random.Generator) -> Pixels:
    return np.asarray(np.rint(pixels * light), np.uint8)


def _jpeg(pixels: Pixels, quality: float, _: np.random.Generator) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=int(quality))
    return np.asarray(Image.open(buffer))


def _occlude(pixels: Pixels, share: float, random: np.random.Generator) -> Pixels:
    side = pixels.shape[0]
    edge = round(side * share**0.5)
    top, left = random.integers(0, side - edge + 1, 2)
    covered = pixels.copy()
    covered[top : top + edge, left : left + edge] = random.integers(0, 256, 3)
    return covered


DISTURBANCES: dict[str, tuple[Disturbance, tuple[float, float, float]]] = {
    "blur, radius in pixels of 32": (_blur, (0.5, 1.0, 1.5)),
    "noise, standard deviation of 255": (_noise, (10, 20, 40)),
    "darkening, light left": (_darken, (0.5, 0.25, 0.1)),
    "JPEG quality": (_jpeg, (30, 10, 5)),
    "occlusion by a square, share of the area": (_occlude, (0.1, 0.2, 0.3)),
}


def disturbed(images: Images, seed: int = 0) -> Iterator[tuple[str, float, Images]]:
    """Each disturbance at each severity, on every one of `images` as it is stored (32x32)."""
    for name, (disturb, severities) in DISTURBANCES.items():
        for severity in severities:
            random = np.random.default_rng(seed)
            degraded = np.stack([disturb(pixels, severity, random) for pixels in images.pixels])
            yield name, severity, Images(degraded, images.labels)

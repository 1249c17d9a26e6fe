"""Image statistics, in which a change of camera, light or weather shows without labels."""

from dataclasses import asdict, dataclass, fields

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.image_formats import open_image

SIDE = 32
"""Images are measured at this side, about the network's resolution: what it cannot see does not matter to it."""
_MAX_PIXELS = 8192 * 6144
_LUMA = np.array((0.299, 0.587, 0.114), np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """One image's statistics, all but ``size`` measured at 32 x 32 pixels.

    brightness: mean luminance, 0 to 255. contrast: its standard deviation. sharpness: standard deviation of its
    Laplacian over the contrast, 0 for a blank image. colour: colourfulness after Hasler and Suesstrunk, "Measuring
    colourfulness in natural images" (2003). size: square root of the number of pixels as sent.
    """

    brightness: float
    contrast: float
    sharpness: float
    colour: float
    size: float

    def to_dict(self) -> dict[str, float]:
        """Return the statistics by name."""
        return asdict(self)


NAMES = tuple(each.name for each in fields(ImageStatistics))


def measure(data: bytes) -> ImageStatistics | None:
    """Return the statistics of an encoded image, or None if it cannot be decoded or is too large to."""
    try:
        with open_image(data, max_pixels=_MAX_PIXELS) as image:
            width, height = image.size
            image.draft("RGB", (SIDE, SIDE))
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    except Exception:  # noqa: BLE001 - Pillow's decoders raise whatever hostile bytes make them raise
        return None
    return measure_pixels(np.asarray(small), float(np.sqrt(width * height)))


def measure_pixels(pixels: npt.NDArray[np.uint8], size: float) -> ImageStatistics:
    """Return the statistics of RGB pixels (H, W, 3); ``size`` is the geometric mean of the original's sides."""
    values = pixels.astype(np.float32)
    luma = values @ _LUMA
    contrast = float(luma.std())
    centre = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * centre
    red, green, blue = values[..., 0], values[..., 1], values[..., 2]
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread, offset = opponents.std(axis=(1, 2)), opponents.mean(axis=(1, 2))
    return ImageStatistics(
        brightness=float(luma.mean()),
        contrast=contrast,
        sharpness=float(laplacian.std() / contrast) if contrast > 0.5 else 0.0,
        colour=float(np.hypot(*spread) + 0.3 * np.hypot(*offset)),
        size=size,
    )

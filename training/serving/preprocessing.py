"""From an image's bytes to the network's input: the one place that does so, for training and for serving alike.

Colour profiles are ignored; the pixel values are taken as sRGB.
"""

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from PIL import (
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from training.serving.errors import (
    BrokenImage,
    EmptyImage,
    ImageTooLarge,
    InvalidPreprocessing,
    UnsupportedImage,
)

MAX_PIXELS: Final = 8192 * 6144  # a 50-megapixel phone's JPEG, which is decoded at an eighth of its sides
MAX_DECODED_PIXELS: Final = 6144 * 4096  # what is not reduced on decoding takes 4 bytes a pixel: 100 MB
BACKGROUND: Final = (128, 128, 128)  # shows dark and light cut-outs alike
ENOUGH: Final = 320  # a JPEG is decoded at a fraction of its size, as long as neither side falls below this

# Naming the plugins loads them now: Pillow would otherwise import all of its formats at the first unknown bytes.
_FORMATS: Final = tuple(
    plugin.format
    for plugin in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        GifImagePlugin.GifImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)
_RESAMPLING: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image is brought to the network's size; the `preprocessing` object of model.json.

    `size`: side of the square input, in pixels. `resample`: bilinear, bicubic or lanczos. `fit`: how a picture becomes
    square; "squash" stretches it, as the thumbnails of CIFAR are. `through`: a smaller side to go through first, so
    that a photograph is as coarse as the training images; None goes straight to `size`.
    """

    size: int
    resample: str = "bicubic"
    fit: str = "squash"
    through: int | None = None

    def __post_init__(self) -> None:
        _check_side("size", self.size)
        if self.through is not None:
            _check_side("through", self.through)
        if self.resample not in _RESAMPLING:
            raise InvalidPreprocessing(f"resample is {self.resample!r}: use one of {', '.join(_RESAMPLING)}")
        if self.fit != "squash":
            raise InvalidPreprocessing(f"fit is {self.fit!r}: only 'squash' is known")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises InvalidPreprocessing for a missing, unknown or impossible field."""
        try:
            return cls(**fields)
        except TypeError as error:
            raise InvalidPreprocessing(f"preprocessing is {fields!r}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)


def decode(data: bytes) -> Image.Image:
    """Decode an image as upright RGB: PNG, JPEG, GIF or WebP, the first frame where there are several.

    A large JPEG comes back reduced, with sides of at least `ENOUGH`. Raises EmptyImage, UnsupportedImage, BrokenImage
    or ImageTooLarge.
    """
    if not data:
        raise EmptyImage("the body is empty: send the bytes of one image")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_pixels(image, MAX_PIXELS)
            image.draft(None, (ENOUGH, ENOUGH))
            _check_pixels(image, MAX_DECODED_PIXELS)
            image.load()
            _set_upright(image)
            return _rgb(image)
    except ImageTooLarge:
        raise
    except UnidentifiedImageError as error:
        raise UnsupportedImage(
            f"{len(data)} bytes that begin with {data[:8].hex(' ')} are no PNG, JPEG, GIF or WebP image"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageTooLarge(f"the image does not fit into memory ({error}): scale it down") from error
    except Exception as error:  # Pillow's decoders raise whatever hostile bytes make them raise
        raise BrokenImage(f"the image is truncated or corrupt ({error}): send the whole file") from error


def to_pixels(image: Image.Image, spec: Preprocessing) -> npt.NDArray[np.uint8]:
    """Return an RGB image as the network's input, (size, size, 3) RGB; antialiased where it is reduced."""
    if spec.through is not None:
        image = _squash(image, spec.through, spec.resample)
    return np.array(_squash(image, spec.size, spec.resample))


def _squash(image: Image.Image, side: int, resample: str) -> Image.Image:
    return image.resize((side, side), _RESAMPLING[resample], reducing_gap=3.0)


def _set_upright(image: Image.Image) -> None:
    with suppress(Exception):  # broken EXIF raises anything, and the pixels are good without it
        ImageOps.exif_transpose(image, in_place=True)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":  # grey, which Pillow's own conversion clips at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    ground = Image.new("RGB", image.size, BACKGROUND)
    ground.paste(layer, mask=layer)
    return ground


def _check_pixels(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise ImageTooLarge(
            f"the {image.format} image has {image.width} x {image.height} pixels, more than {most}: scale it down"
        )


def _check_side(name: str, side: object) -> None:
    if not isinstance(side, int) or isinstance(side, bool) or not 8 <= side <= ENOUGH:
        raise InvalidPreprocessing(f"{name} is {side!r}: it must be a whole number of pixels from 8 to {ENOUGH}")

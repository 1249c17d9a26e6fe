"""From an image's bytes to the network's input: decoding to upright RGB and resizing, alike in training and serving.

Colour profiles are ignored; the pixel values are taken as sRGB.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageFile, ImageOps

from core.errors import ImageTooCostly, UnknownImageFormat
from core.image_formats import jpeg_end_and_scans, open_image
from training.serving.errors import BrokenImage, EmptyImage, ImageTooLarge, InvalidPreprocessing, UnsupportedImage

MAX_PIXELS: Final = 8192 * 6144  # a 50-megapixel phone's JPEG, which is decoded at an eighth of its sides
MAX_DECODED_PIXELS: Final = 6144 * 4096  # 100 MB: formats that are not reduced on decoding take 4 bytes a pixel
BACKGROUND: Final = (128, 128, 128)  # behind transparent pixels: dark and light cut-outs are visible on it
MIN_DRAFT_SIDE: Final = 320  # a JPEG is decoded at a fraction of its size, as long as neither side is smaller
_RESAMPLING: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def decode(data: bytes) -> Image.Image:
    """Decode a PNG, JPEG, GIF, WebP, AVIF or HEIC image to upright RGB; of an animation, the first frame.

    A large JPEG is reduced, to sides of at least `MIN_DRAFT_SIDE`. Raises EmptyImage, UnsupportedImage, BrokenImage or
    ImageTooLarge.
    """
    if not data:
        raise EmptyImage("the body is empty: send the bytes of one image")
    try:
        with open_image(data, max_pixels=MAX_DECODED_PIXELS, max_jpeg_pixels=MAX_PIXELS) as image:
            if image.format == "JPEG":
                _verify_jpeg(data, image)
            image.draft(None, (MIN_DRAFT_SIDE, MIN_DRAFT_SIDE))
            if image.width * image.height > MAX_DECODED_PIXELS:
                raise ImageTooCostly(f"{image.width} x {image.height} pixels after reduction")
            image.load()
            _set_upright(image)
            return _to_rgb(image)
    except UnknownImageFormat as error:
        raise UnsupportedImage(f"{len(data)} bytes that begin with {data[:8].hex(' ')}: {error}") from error
    except (ImageTooCostly, MemoryError, Image.DecompressionBombError) as error:
        raise ImageTooLarge(f"decoding takes too much memory or time ({error}): send a smaller image") from error
    except Exception as error:  # Pillow's decoders raise whatever hostile bytes make them raise
        raise BrokenImage(f"the image is truncated or corrupt ({error}): send the whole file") from error


def _verify_jpeg(data: bytes, image: ImageFile.ImageFile) -> None:
    """Raise ValueError where libjpeg decodes the image with a warning, which Pillow suppresses."""
    end, _ = jpeg_end_and_scans(data)
    colours = "CMYK" if image.mode == "CMYK" else "GRAY"
    simplejpeg.decode_jpeg(data[:end], colorspace=colours, min_factor=8, strict=True)


def _set_upright(image: Image.Image) -> None:
    with suppress(Exception):  # broken EXIF raises anything, and the pixels are good without it
        ImageOps.exif_transpose(image, in_place=True)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":  # 16-bit grey, which Pillow's own conversion clips at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    background = Image.new("RGB", image.size, BACKGROUND)
    background.paste(layer, mask=layer)
    return background


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image is resized; the `preprocessing` object of model.json.

    `size`: side of the square input, in pixels. `resample`: bilinear, bicubic or lanczos. `fit`: how an image becomes
    square; "squash" stretches it, as the thumbnails of CIFAR are. `through`: a smaller side to resize to first, so that
    a photo is as coarse as the training images; None resizes to `size` at once.
    """

    size: int
    resample: str = "bicubic"
    fit: str = "squash"
    through: int | None = None

    def __post_init__(self) -> None:
        _check_side("size", self.size)
        if self.through is not None:
            _check_side("through", self.through)
        if str(self.resample) not in _RESAMPLING:  # model.json may have a value that cannot be hashed
            raise InvalidPreprocessing(f"resample is {self.resample!r:.200}: use one of {', '.join(_RESAMPLING)}")
        if self.fit != "squash":
            raise InvalidPreprocessing(f"fit is {self.fit!r:.200}: only 'squash' is known")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises InvalidPreprocessing for a missing, unknown or impossible field."""
        try:
            return cls(**fields)
        except TypeError as error:
            raise InvalidPreprocessing(f"preprocessing is {fields!r:.200}: {error!s:.200}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)


def to_pixels(image: Image.Image, spec: Preprocessing) -> npt.NDArray[np.uint8]:
    """Return an RGB image as the network's input, (size, size, 3) RGB, antialiased."""
    if spec.through is not None:
        image = _squash(image, spec.through, spec.resample)
    return np.array(_squash(image, spec.size, spec.resample))


def _squash(image: Image.Image, side: int, resample: str) -> Image.Image:
    return image.resize((side, side), _RESAMPLING[resample], reducing_gap=3.0)


def _check_side(name: str, side: object) -> None:
    if not isinstance(side, int) or isinstance(side, bool) or not 8 <= side <= MIN_DRAFT_SIDE:
        raise InvalidPreprocessing(
            f"{name} is {side!r}: it must be a whole number of pixels from 8 to {MIN_DRAFT_SIDE}"
        )

"""Decodes an image's bytes to upright RGB; used in training and in serving.

Colour profiles are ignored; the pixel values are taken as sRGB.
"""

from contextlib import suppress
from typing import Final

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, ImageOps

from core.errors import ImageTooCostly, UnknownImageFormat
from core.image_formats import jpeg_end_and_scans, open_image
from training.serving.errors import BrokenImage, EmptyImage, ImageTooLarge, UnsupportedImage

MAX_PIXELS: Final = 8192 * 6144  # a 50-megapixel phone's JPEG, which is decoded at an eighth of its sides
MAX_DECODED_PIXELS: Final = 6144 * 4096  # 100 MB: formats that are not reduced on decoding take 4 bytes a pixel
BACKGROUND: Final = (128, 128, 128)  # behind transparent pixels: dark and light cut-outs are visible on it
MIN_DRAFT_SIDE: Final = 320  # a JPEG is decoded at a fraction of its size, as long as neither side is smaller


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

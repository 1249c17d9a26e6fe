"""Opens images from anywhere, and refuses those that would take too much time or memory to decode.

``services/serialize/image.py`` repeats MAX_SCANS, because the Lambdas import nothing of the repository;
``tests/core/test_image_decoding.py`` holds that the values are the same.
"""

import io
from typing import Final

from PIL import Image, ImageFile

from core.errors import ImageTooCostly

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PIXELS: Final = 40_000_000
MAX_SCANS: Final = 100
"""Photographs have about ten scans. Each is a pass over the whole image, however few bytes it has."""
MAX_SCANNED_PIXELS: Final = 400_000_000
"""Pixels times scans of a JPEG: a photograph of 40 megapixels with ten scans, which takes about a second."""
_START_OF_SCAN = b"\xff\xda"


def open_image(data: bytes, *, max_pixels: int = MAX_PIXELS) -> ImageFile.ImageFile:
    """Read an image's header. Raises ImageTooCostly, or whatever damaged bytes make Pillow raise."""
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise ImageTooCostly(f"{pixels:,} pixels, the limit is {max_pixels:,}")
    if image.format == "JPEG" and image.fp is not None:
        scans = 1 + data.count(_START_OF_SCAN, image.fp.tell())  # the header ends at the first
        if scans > MAX_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
            raise ImageTooCostly(f"{scans:,} scans of {pixels:,} pixels")
    return image

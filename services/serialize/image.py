"""Makes an image fit a state: unchanged where it fits, scaled down where it does not.

A state holds 256 KiB, of which base64 takes a third; 180 KiB of image leave 16 KiB for keys and for what Step Functions
adds to a Lambda's response. JPEG and PNG files of at most that size are decoded to the end and pass byte for byte; a
JPEG that has that size without what a phone appended passes without it. A larger JPEG, HEIC or AVIF becomes a smaller
JPEG and any other image a PNG: upright as its EXIF data says, without metadata or colour profile, with the same aspect
ratio, at most 1,024 pixels wide and high, and fewer where that is still too much. Of an animation, a new file has the
first frame. Other formats (TIFF, BMP, ...) are not supported: each decoder adds to the attack surface.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from math import sqrt

from errors import ImageTooLarge, SerializeError, UnsupportedImage
from image_formats import image_format, jpeg_end_and_scans, open_image
from PIL import Image, ImageFile, ImageOps

MAX_IMAGE_BYTES = 180 * 1024
MAX_SIDE = 1024
_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_PHOTO_KINDS = {"JPEG", "HEIC", "AVIF"}


def fit(data: bytes) -> tuple[bytes, str]:
    """Return ``data`` as a JPEG or PNG of at most :data:`MAX_IMAGE_BYTES`, and its content type."""
    kind = image_format(data)
    with _translated_errors(kind):
        image = open_image(data, kind)
        if kind == "JPEG" and len(data) > MAX_IMAGE_BYTES:
            data = data[: jpeg_end_and_scans(data)[0]]
        if kind in _CONTENT_TYPES and len(data) <= MAX_IMAGE_BYTES:
            load(image, (1, 1))
            return data, _CONTENT_TYPES[kind]
        small = upright_thumbnail(image)
    kind = "JPEG" if kind in _PHOTO_KINDS and small.mode != "RGBA" else "PNG"
    return encoded(small, kind), _CONTENT_TYPES[kind]


@contextmanager
def _translated_errors(kind: str) -> Iterator[None]:
    """Turn any error that damaged bytes cause in Pillow into UnsupportedImage, and suppress its warnings."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except SerializeError:
        raise
    except MemoryError as error:
        raise ImageTooLarge(f"decoding the {kind} needs more memory than there is: upload a smaller image") from error
    except Exception as error:
        raise UnsupportedImage(f"the object is a damaged or truncated {kind}: upload it again") from error


def load(image: ImageFile.ImageFile, size: tuple[int, int]) -> None:
    """Decode ``image`` to its end; a JPEG at the smallest scale that is not below ``size``."""
    image.draft(None, size)
    image.load()


def upright_thumbnail(image: ImageFile.ImageFile) -> Image.Image:
    """Return ``image`` in a mode that JPEG or PNG can hold, at most :data:`MAX_SIDE` wide and high, turned upright."""
    scale = min(1.0, MAX_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    load(image, size)
    plain = in_plain_mode(image)
    if plain.size != size:
        plain = plain.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return upright(plain)


def upright(image: Image.Image) -> Image.Image:
    """Return ``image`` turned as its EXIF data says, or as it is where that cannot be read."""
    with suppress(Exception):  # broken EXIF data raises anything, and the pixels are good without it
        image = ImageOps.exif_transpose(image)
    return image


def in_plain_mode(image: Image.Image) -> Image.Image:
    """Return ``image`` as RGBA where it is transparent anywhere, else as greyscale or RGB of 8 bits."""
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    opaque = "L" if image.mode in {"1", "L"} else "RGB"
    mode = "RGBA" if image.has_transparency_data else opaque
    return image if image.mode == mode else image.convert(mode)


def encoded(image: Image.Image, kind: str) -> bytes:
    """Return ``image`` as a file of at most :data:`MAX_IMAGE_BYTES`, smaller by as much as that takes."""
    size = image.size
    while True:
        out = BytesIO()
        copy = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        copy.info.clear()  # a comment or colour profile would be written too, and may be larger than the limit
        copy.save(out, kind, quality=90)
        if out.tell() <= MAX_IMAGE_BYTES:
            return out.getvalue()
        scale = 0.95 * sqrt(MAX_IMAGE_BYTES / out.tell())
        size = (max(1, int(size[0] * scale)), max(1, int(size[1] * scale)))

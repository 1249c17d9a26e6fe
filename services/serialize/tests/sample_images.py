"""Images made for the tests: small, of every format, or larger than fits."""

import random
from io import BytesIO

from image import MAX_IMAGE_BYTES
from PIL import Image


def noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Return an image that no format compresses."""
    pixel_bytes = len(Image.new(mode, (1, 1)).tobytes())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * pixel_bytes))


def photograph(width: int, height: int) -> Image.Image:
    """Return an image about as busy as a photograph."""
    coarse = noise(width // 8, height // 8).resize((width, height), Image.Resampling.BICUBIC)
    return Image.blend(coarse, noise(256, 256).resize((width, height), Image.Resampling.NEAREST), 0.2)


def file(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return ``image`` as a file of ``kind``."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def read(data: bytes) -> Image.Image:
    """Return the decoded image in ``data``."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def padded(data: bytes) -> bytes:
    """Return an image as a file larger than fits: a JPEG with more segments, anything else with more bytes."""
    if data.startswith(b"\xff\xd8"):
        return data[:2] + (b"\xff\xef\xff\xff" + bytes(0xFFFD)) * 4 + data[2:]
    return data + bytes(MAX_IMAGE_BYTES)

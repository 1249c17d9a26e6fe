"""Pictures made for the tests: small, of every kind, or larger than fits."""

import random
from io import BytesIO

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

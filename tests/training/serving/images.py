"""What the tests of looking at an image share: what the network would see, and PNGs made by hand."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.serving.model import Preprocessing, decode, to_pixels

Scene = Callable[..., Image.Image]
Encode = Callable[..., bytes]
SPEC = Preprocessing(size=8)
ORIENTATION = 0x0112


def look(data: bytes) -> npt.NDArray[np.int_]:
    """Return what the network would see of the encoded image, as 8 x 8 pixels."""
    return to_pixels(decode(data), SPEC).astype(np.int_)


def shows_the_scene(data: bytes, reference: Image.Image, tolerance: int = 24) -> bool:
    seen = look(data)
    expected = to_pixels(reference, SPEC).astype(np.int_)
    return bool(np.abs(seen - expected).mean() <= tolerance)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")

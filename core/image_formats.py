"""Opens images from anywhere, and refuses those that would take too much time or memory to decode.

Formats are told apart by content. ``services/serialize`` repeats these rules, because the Lambda functions import
nothing of the repository; ``tests/core/test_image_formats.py`` holds that both treat the same files alike.
"""

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import Final

from PIL import ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from core.errors import ImageTooCostly, UnknownImageFormat

MAX_PIXELS: Final = 40_000_000
MAX_SCANS: Final = 100
"""Progressive photos have about ten scans. Each is a pass over the whole image, however few bytes it has."""
MAX_SCANNED_PIXELS: Final = 600_000_000
"""Pixels times scans of a JPEG: a photo of 50 megapixels with twelve scans, which takes about a second."""

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_JPEG_METADATA: Final = re.compile(rb"[\xe2-\xed\xef\xfe]")  # profiles, captions and comments
_JPEG_COLOURS: Final = re.compile(rb"[\xe0\xee]")  # JFIF and Adobe, which say how colours are encoded
_MIN_COLOURS_LENGTH: Final = 14  # of a shorter segment, libjpeg takes no notice
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


def image_format(data: bytes) -> str | None:
    """Return PNG, JPEG, GIF, WEBP, AVIF or HEIC by the first bytes, or None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(_PNG_SIGNATURE):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        length = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[at : at + 4] for at in range(8, length, 4)}
        return "AVIF" if brands & _AVIF_BRANDS else "HEIC" if brands & _HEIF_BRANDS else None
    return None


def open_image(data: bytes, *, max_pixels: int = MAX_PIXELS, max_jpeg_pixels: int | None = None) -> ImageFile.ImageFile:
    """Read an image's header; a JPEG, which can be decoded at a fraction of its size, may have a higher limit.

    Raises UnknownImageFormat, ImageTooCostly, or whatever damaged bytes make Pillow raise.
    """
    name = image_format(data)
    if name is None:
        raise UnknownImageFormat("not a PNG, JPEG, GIF, WebP, AVIF or HEIC image")
    image = _OPENERS[name](data)
    limit = max_jpeg_pixels if name == "JPEG" and max_jpeg_pixels is not None else max_pixels
    pixels = image.width * image.height
    if pixels > limit:
        raise ImageTooCostly(f"{image.width} x {image.height} pixels, the limit is {limit:,} in all")
    return image


def jpeg_end_and_scans(data: bytes) -> tuple[int, int]:
    """Return where a JPEG ends, and its number of scans.

    Phones append videos, gain maps and more images after the end marker. Raises ValueError if bytes lie between two
    segments, as in a file that was transferred as text.
    """
    position, scans, in_scan = 2, 0, False
    while marker := _JPEG_MARKER.search(data, position):
        if not in_scan and marker.start() != position:
            raise ValueError("bytes between two segments")
        if marker[1] == b"\xd9":
            return marker.end(), scans
        in_scan = marker[1] == b"\xda"
        scans += in_scan
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return len(data), scans


def _open_jpeg(data: bytes) -> ImageFile.ImageFile:
    end, scans = jpeg_end_and_scans(data)
    image = JpegImageFile(io.BytesIO(_without_jpeg_metadata(data[:end])))
    if scans > MAX_SCANS or scans * image.width * image.height > MAX_SCANNED_PIXELS:
        raise ImageTooCostly(f"{scans:,} scans of {image.width} x {image.height} pixels")
    return image


def _without_jpeg_metadata(jpeg: bytes) -> bytes:
    """Return a JPEG without the metadata that decoding does not need: Pillow takes its defects for the image's."""
    parts, position = [jpeg[:2]], 2
    while (marker := _JPEG_MARKER.match(jpeg, position)) and marker[1] != b"\xda":
        length = int.from_bytes(jpeg[marker.end() : marker.end() + 2], "big")
        is_unused = _JPEG_METADATA.match(marker[1]) or (_JPEG_COLOURS.match(marker[1]) and length < _MIN_COLOURS_LENGTH)
        if not is_unused:
            parts.append(jpeg[position : marker.end() + length])
        position = marker.end() + length
    return b"".join([*parts, jpeg[position:]])


def _open_png(data: bytes) -> ImageFile.ImageFile:
    return PngImageFile(io.BytesIO(_without_png_metadata(data)))


def _without_png_metadata(png: bytes) -> bytes:
    """Return a PNG without the metadata that decoding does not need: Pillow takes its defects for the image's."""
    parts, position = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while len(header := png[position : position + 8]) == 8:
        length, kind = struct.unpack(">I4s", header)
        chunk = png[position : position + 12 + length]
        is_needed = kind[:1].isupper() or kind in {b"tRNS", b"eXIf"}
        if is_needed and not (kind == b"eXIf" and chunk[-4:] != zlib.crc32(chunk[4:-4]).to_bytes(4, "big")):
            parts.append(chunk)
        position += len(chunk)
    return b"".join(parts)


def _open_heic(data: bytes) -> ImageFile.ImageFile:
    try:
        from pi_heif import HeifImageFile  # noqa: PLC0415 - loads its decoder, which few images need
    except ImportError:
        raise UnknownImageFormat("HEIC, whose decoder is not installed") from None
    image: ImageFile.ImageFile = HeifImageFile(io.BytesIO(data))
    return image


_OPENERS: Final[dict[str, Callable[[bytes], ImageFile.ImageFile]]] = {
    "JPEG": _open_jpeg,
    "PNG": _open_png,
    "GIF": lambda data: GifImageFile(io.BytesIO(data)),
    "WEBP": lambda data: WebPImageFile(io.BytesIO(data)),
    "AVIF": lambda data: AvifImageFile(io.BytesIO(data)),
    "HEIC": _open_heic,
}

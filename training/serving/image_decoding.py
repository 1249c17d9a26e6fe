"""Decodes an image's bytes to upright RGB, within limits of memory and time; used in training and in serving.

Formats are told apart by content. Colour profiles are ignored; the pixel values are taken as sRGB.
"""

import io
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import numpy as np
import simplejpeg
from PIL import Image, ImageFile, ImageOps
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from training.serving.errors import BrokenImage, EmptyImage, ImageTooLarge, UnsupportedImage

MAX_PIXELS: Final = 8192 * 6144  # a 50-megapixel phone's JPEG, which is decoded at an eighth of its sides
MAX_DECODED_PIXELS: Final = 6144 * 4096  # 100 MB: formats that are not reduced on decoding take 4 bytes a pixel
MAX_SCANS: Final = 100  # progressive photos have about ten
MAX_SCAN_PIXELS: Final = 1_000_000_000  # each scan is a pass over all pixels: about a second in all
BACKGROUND: Final = (128, 128, 128)  # behind transparent pixels: dark and light cut-outs are visible on it
MIN_DRAFT_SIDE: Final = 320  # a JPEG is decoded at a fraction of its size, as long as neither side is smaller

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PNG_METADATA: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP"})
_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


def decode(data: bytes) -> Image.Image:
    """Decode a PNG, JPEG, GIF, WebP, AVIF or HEIC image to upright RGB; of an animation, the first frame.

    A large JPEG is reduced, to sides of at least `MIN_DRAFT_SIDE`. Raises EmptyImage, UnsupportedImage, BrokenImage or
    ImageTooLarge.
    """
    if not data:
        raise EmptyImage("the body is empty: send the bytes of one image")
    kind = _kind(data)
    try:
        with _OPENERS[kind](data) as image:
            _check_pixels(image, kind, MAX_PIXELS if kind == "JPEG" else MAX_DECODED_PIXELS)
            image.draft(None, (MIN_DRAFT_SIDE, MIN_DRAFT_SIDE))
            _check_pixels(image, kind, MAX_DECODED_PIXELS)
            image.load()
            _set_upright(image)
            return _to_rgb(image)
    except (ImageTooLarge, UnsupportedImage):
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise ImageTooLarge(f"the image does not fit into memory ({error}): scale it down") from error
    except Exception as error:  # Pillow's decoders raise whatever hostile bytes make them raise
        raise BrokenImage(f"the image is truncated or corrupt ({error}): send the whole file") from error


def _kind(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(_PNG_SIGNATURE):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        length = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[at : at + 4] for at in range(8, length, 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIC"
    raise UnsupportedImage(
        f"{len(data)} bytes that begin with {data[:8].hex(' ')} are no PNG, JPEG, GIF, WebP, AVIF or HEIC image"
    )


def _open_jpeg(data: bytes) -> ImageFile.ImageFile:
    """Open the image up to its end marker: phones append videos, gain maps and further images.

    Refuses what libjpeg decodes with a warning, such as a file that was transferred as text.
    """
    end, scans = _jpeg_end_and_scans(data)
    image = JpegImageFile(io.BytesIO(data[:end]))
    if scans > MAX_SCANS or scans * image.width * image.height > MAX_SCAN_PIXELS:
        raise ImageTooLarge(
            f"the JPEG image has {image.width} x {image.height} pixels in {scans} scans: save it with fewer scans"
        )
    _check_pixels(image, "JPEG", MAX_PIXELS)
    colours = "CMYK" if image.mode == "CMYK" else "GRAY"
    simplejpeg.decode_jpeg(data[:end], colorspace=colours, min_factor=8, strict=True)
    return image


def _jpeg_end_and_scans(data: bytes) -> tuple[int, int]:
    """Return the position after the end-of-image marker, and the number of scans. Raises ValueError for garbage."""
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


def _open_png(data: bytes) -> ImageFile.ImageFile:
    """Open the image without its texts and colour profile, whose size Pillow limits: a long one is no damage."""
    parts, position = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while len(header := data[position : position + 8]) == 8:
        length, kind = struct.unpack(">I4s", header)
        chunk_end = position + 12 + length
        if kind not in _PNG_METADATA:
            parts.append(data[position:chunk_end])
        position = chunk_end
    return PngImageFile(io.BytesIO(b"".join(parts)))


def _open_avif(data: bytes) -> ImageFile.ImageFile:
    from PIL.AvifImagePlugin import AvifImageFile  # noqa: PLC0415 - loads its decoder, which few images need

    return AvifImageFile(io.BytesIO(data))


def _open_heic(data: bytes) -> ImageFile.ImageFile:
    try:
        from pi_heif import HeifImageFile  # noqa: PLC0415 - loads its decoder, which few images need
    except ImportError:
        raise UnsupportedImage("the image is HEIC, which this server was built without: send a JPEG") from None
    image: ImageFile.ImageFile = HeifImageFile(io.BytesIO(data))
    return image


_OPENERS: Final[dict[str, Callable[[bytes], ImageFile.ImageFile]]] = {
    "JPEG": _open_jpeg,
    "PNG": _open_png,
    "GIF": lambda data: GifImageFile(io.BytesIO(data)),
    "WebP": lambda data: WebPImageFile(io.BytesIO(data)),
    "AVIF": _open_avif,
    "HEIC": _open_heic,
}


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


def _check_pixels(image: Image.Image, kind: str, limit: int) -> None:
    if image.width * image.height > limit:
        raise ImageTooLarge(
            f"the {kind} image has {image.width} x {image.height} pixels, more than {limit}: scale it down"
        )

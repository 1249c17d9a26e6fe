"""Makes an image fit a state: unchanged where it fits, scaled down where it does not.

A state holds 256 KiB, of which base64 takes a third; 180 KiB of image leave 16 KiB for keys and for what Step Functions
adds to a Lambda's response. JPEG and PNG files of at most that size are decoded to the end and pass byte for byte; a
JPEG that has that size without what a phone appended passes without it. A larger JPEG, HEIC or AVIF becomes a smaller
JPEG and any other image a PNG: upright as its EXIF data says, without metadata or colour profile, with the same aspect
ratio, at most 1,024 pixels wide and high, and fewer where that is still too much. Of an animation, a new file has the
first frame. Other formats (TIFF, BMP, ...) are not supported: each decoder adds to the attack surface.

The format is what the content says, whatever the object's name. JPEG and PNG files may carry more than the image:
phones append videos, gain maps and further images to a JPEG, and editors write long texts, profiles and broken
metadata. That is neither decoded nor taken for damage. What would take too much time or memory to decode is refused.
"""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from io import BytesIO
from math import sqrt

from errors import ImageTooLarge, SerializeError, UnsupportedImage
from PIL import Image, ImageFile, ImageOps

MAX_IMAGE_BYTES = 180 * 1024
MAX_SIDE = 1024
_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_PHOTO_KINDS = {"JPEG", "HEIC", "AVIF"}
# In one piece, a pixel takes up to 8 bytes (CMYK JPEG), 9 (PNG and GIF with palette and transparency), 18 (WebP) or 12
# (HEIC and AVIF): some 320 MB, with which a function of 512 MB gets by.
MAX_PIXELS_BY_FORMAT = {
    "JPEG": 40_000_000,
    "PNG": 36_000_000,
    "GIF": 36_000_000,
    "WEBP": 16_000_000,
    "AVIF": 25_000_000,
    "HEIC": 25_000_000,
}
# A JPEG of a single scan is decoded at down to an eighth of its size: there, only the time counts.
MAX_PIXELS_OF_ONE_SCAN = 200_000_000
# Photos have about ten scans. Each is a pass over the whole image, however few bytes it has.
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 600_000_000

_READERS = {"JPEG": "Jpeg", "PNG": "Png", "GIF": "Gif", "WEBP": "WebP", "AVIF": "Avif"}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_JPEG_METADATA = re.compile(rb"[\xe2-\xed\xef\xfe]")  # profiles, captions and comments
_JPEG_COLOURS = re.compile(rb"[\xe0\xee]")  # JFIF and Adobe, which say how colours are encoded
_MIN_COLOURS_LENGTH = 14  # of a shorter segment, libjpeg takes no notice
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


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


def image_format(data: bytes) -> str:
    """Return the format of an image by its first bytes. Raises UnsupportedImage."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(_PNG_SIGNATURE):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        length = min(int.from_bytes(data[:4]), 256)
        brands = {data[at : at + 4] for at in range(8, length, 4)}
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIC"
    actual = "not a JPEG, PNG, GIF, WebP, HEIC or AVIF" if data else "empty"
    raise UnsupportedImage(f"the object is {actual}: upload a JPEG or PNG")


def jpeg_end_and_scans(data: bytes) -> tuple[int, int]:
    """Return where a JPEG ends, and its number of scans. Raises ValueError for bytes between two segments."""
    position, scans, in_scan = 2, 0, False
    while marker := _JPEG_MARKER.search(data, position):
        if not in_scan and marker.start() != position:
            raise ValueError("bytes between two segments, as in a file that was transferred as text")
        if marker[1] == b"\xd9":
            return marker.end(), scans
        in_scan = marker[1] == b"\xda"
        scans += in_scan
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return len(data), scans


def open_image(data: bytes, kind: str) -> ImageFile.ImageFile:
    """Return the image with its header read, by the reader for its format.

    Raises ImageTooLarge, UnsupportedImage, or whatever damaged bytes make Pillow raise.
    """
    limit = MAX_PIXELS_BY_FORMAT[kind]
    scans = 1
    if kind == "JPEG":
        end, scans = jpeg_end_and_scans(data)
        data = _without_jpeg_metadata(data[:end])
        limit = MAX_PIXELS_OF_ONE_SCAN if scans == 1 else limit
    elif kind == "PNG":
        data = _without_png_metadata(data)
    image = _heic(data) if kind == "HEIC" else _reader(kind)(BytesIO(data))
    size, pixels = f"{image.width} x {image.height} pixels", image.width * image.height
    if scans > MAX_SCANS:
        raise ImageTooLarge(f"the JPEG has {scans} scans, the limit is {MAX_SCANS}: save it again")
    if pixels > limit:
        raise ImageTooLarge(f"the {kind} has {size}, the limit is {limit} in all: upload a smaller image")
    if scans > 1 and pixels * scans > MAX_SCANNED_PIXELS:
        raise ImageTooLarge(f"the JPEG has {size} in {scans} scans: save it with fewer scans")
    return image


def _reader(kind: str) -> type[ImageFile.ImageFile]:
    name = _READERS[kind]
    reader: type[ImageFile.ImageFile] = getattr(import_module(f"PIL.{name}ImagePlugin"), f"{name}ImageFile")
    return reader


def _heic(data: bytes) -> ImageFile.ImageFile:
    try:
        from pi_heif import HeifImageFile  # noqa: PLC0415 - loads its decoder, which few images need
    except ImportError:
        raise UnsupportedImage("the object is HEIC, whose decoder is not installed: upload a JPEG or PNG") from None
    image: ImageFile.ImageFile = HeifImageFile(BytesIO(data))
    return image


def _without_jpeg_metadata(jpeg: bytes) -> bytes:
    """Return a JPEG without the metadata that decoding does not need: Pillow takes its defects for the image's."""
    parts, position = [jpeg[:2]], 2
    while (marker := _JPEG_MARKER.match(jpeg, position)) and marker[1] != b"\xda":
        length = int.from_bytes(jpeg[marker.end() : marker.end() + 2])
        is_unused = _JPEG_METADATA.match(marker[1]) or (_JPEG_COLOURS.match(marker[1]) and length < _MIN_COLOURS_LENGTH)
        if not is_unused:
            parts.append(jpeg[position : marker.end() + length])
        position = marker.end() + length
    return b"".join([*parts, jpeg[position:]])


def _without_png_metadata(png: bytes) -> bytes:
    """Return a PNG without the metadata that decoding does not need: Pillow takes its defects for the image's."""
    parts, position = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while len(header := png[position : position + 8]) == 8:
        length, kind = struct.unpack(">I4s", header)
        chunk = png[position : position + 12 + length]
        is_needed = kind[:1].isupper() or kind in {b"tRNS", b"eXIf"}
        if is_needed and not (kind == b"eXIf" and chunk[-4:] != zlib.crc32(chunk[4:-4]).to_bytes(4)):
            parts.append(chunk)
        position += len(chunk)
    return b"".join(parts)

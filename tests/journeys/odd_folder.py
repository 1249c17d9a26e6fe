"""A folder of files of forty kinds, as people have them, and what must become of each.

python -m tests.journeys.odd_folder FOLDER [COUNT]
"""

import base64
import gzip
import io
import os
import socket
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from scones.image_inputs import DUPLICATE, HIDDEN, NOT_AN_IMAGE
from training.data.synthetic import render

LABELLED = "labelled"
"""Classified or for review; any other outcome is an error's name, or why the file is skipped."""
UNSUPPORTED = "UnsupportedImage"
TOO_LARGE = "ImageTooLarge"
NO_FILE = "not a regular file"
VISITED = "a folder that is included already"

Make = Callable[[Path, Image.Image], None]


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image as a file."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG's chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _jpeg(image: Image.Image) -> bytes:
    return encode(image, "JPEG", quality=90)


def _png(image: Image.Image) -> bytes:
    return encode(image, "PNG")


def _in_png(image: Image.Image, kind: bytes, body: bytes) -> bytes:
    png = _png(image)
    return png[:33] + chunk(kind, body) + png[33:]


def _turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(image, "JPEG", exif=exif)


def _animation(image: Image.Image) -> bytes:
    return encode(image.quantize(32), "GIF", save_all=True, append_images=[image.rotate(90).quantize(32)])


def _linked(path: Path, image: Image.Image) -> None:
    target = path.parent / "targets" / path.name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(_png(image))
    path.symlink_to(target.absolute())


def _loop(path: Path, _: Image.Image) -> None:
    path.symlink_to(path.parent.absolute(), target_is_directory=True)


def _socket(path: Path, _: Image.Image) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


CONTENTS: dict[str, tuple[Callable[[Image.Image], bytes], str]] = {
    "{n}.png": (_png, LABELLED),
    "{n}.JPG": (_jpeg, LABELLED),
    "{n}.jfif": (_jpeg, LABELLED),
    "{n}.jpe": (_jpeg, LABELLED),
    "{n}": (_jpeg, LABELLED),
    "{n}-renamed.txt": (_png, LABELLED),
    "{n}.gif": (_animation, LABELLED),
    "{n}.webp": (lambda image: encode(image, "WEBP"), LABELLED),
    "{n}.avif": (lambda image: encode(image, "AVIF", speed=10), LABELLED),
    "{n}-grey.png": (lambda image: _png(image.convert("L")), LABELLED),
    "{n}-transparent.png": (lambda image: _png(image.convert("RGBA")), LABELLED),
    "{n}-16-bit.png": (lambda image: _png(image.convert("L").convert("I;16")), LABELLED),
    "{n}-cmyk.jpg": (lambda image: _jpeg(image.convert("CMYK")), LABELLED),
    "{n}-turned.jpg": (_turned, LABELLED),
    "{n}-progressive.jpg": (lambda image: encode(image, "JPEG", progressive=True), LABELLED),
    "{n}-motion.jpg": (lambda image: _jpeg(image) + b"\xff\xda" * 200, LABELLED),
    "{n}-text.png": (lambda image: _in_png(image, b"zTXt", b"k\0\0" + zlib.compress(bytes(2**21))), LABELLED),
    "{n}-bad-profile.png": (lambda image: _in_png(image, b"iCCP", b"p\0\0x"), LABELLED),
    "{n}-large.jpg": (lambda image: encode(image.resize((2400, 2400)), "JPEG", quality=100), LABELLED),
    "{n}-lens-cap.jpg": (lambda image: _jpeg(Image.new("RGB", image.size)), LABELLED),
    "{n} é ü ☂ 🚲.png": (_png, LABELLED),
    "{n}%20+&=#?.png": (_png, LABELLED),
    "{n}-\x1b[31mred\n.png": (_png, LABELLED),
    "{n}-" + "long" * 55 + ".png": (_png, LABELLED),
    "{n}-cut.jpg": (lambda image: _jpeg(image)[:-100], UNSUPPORTED),
    "{n}-empty.png": (lambda _: b"", UNSUPPORTED),
    "{n}-text.jpg": (lambda _: b"no image\n", UNSUPPORTED),
    "{n}-sent-as-text.jpg": (lambda image: _jpeg(image).replace(b"\n", b"\r\n") + b"\r\n", UNSUPPORTED),
    "{n}-in-base64.jpg": (lambda image: base64.b64encode(_jpeg(image)), UNSUPPORTED),
    "{n}.tif": (lambda image: encode(image, "TIFF"), UNSUPPORTED),
    "{n}.bmp": (lambda image: encode(image, "BMP"), UNSUPPORTED),
    "{n}-bomb.png": (lambda _: _png(Image.new("1", (6001, 6000))), TOO_LARGE),
    "{n}-notes.txt": (lambda _: b"no image\n", NOT_AN_IMAGE),
    "{n}.mov": (lambda _: b"\0\0\0\x14ftypqt  " + bytes(100), NOT_AN_IMAGE),
    "{n}.jpg.gz": (lambda image: gzip.compress(_jpeg(image)), NOT_AN_IMAGE),
    ".{n}.png": (_png, HIDDEN),
    "._{n}.jpg": (lambda _: b"\0\x05\x16\x07", HIDDEN),
}
OTHERS: dict[str, tuple[Make, str]] = {
    "{n}-link.png": (_linked, LABELLED),
    "{n}-loop": (_loop, VISITED),
    "{n}-nowhere.png": (lambda path, _: path.symlink_to("nothing"), "cannot be read: No such file or directory"),
    "{n}-pipe.png": (lambda path, _: os.mkfifo(path), NO_FILE),
    "{n}-socket.png": (_socket, NO_FILE),
}
KINDS = len(CONTENTS) + len(OTHERS)


def write_odd_folder(folder: Path, count: int) -> dict[str, str]:
    """Write ``count`` files, kind after kind, into folders ending in .jpg; return the outcome of each by its path.

    A linked image is in the folder a second time, below ``targets``.
    """
    expected: dict[str, str] = {}
    for number in range(count):
        subfolder = folder / f"day {number // KINDS}.jpg"
        subfolder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(render(("bicycle", "motorcycle")[number % 2], number, 64))
        kind = number % KINDS
        if kind < len(CONTENTS):
            name, (content, outcome) = list(CONTENTS.items())[kind]
            path = subfolder / name.format(n=number)
            path.write_bytes(content(image))
        else:
            name, (make, outcome) = list(OTHERS.items())[kind - len(CONTENTS)]
            path = subfolder / name.format(n=number)
            make(path, image)
            if make is _linked:
                expected[str(path.parent / "targets" / path.name)] = DUPLICATE
        expected[str(path)] = outcome
    return expected


if __name__ == "__main__":
    written = write_odd_folder(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
    print(f"{len(written)} files and links of {KINDS} kinds")

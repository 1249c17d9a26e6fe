"""What is written next to an image's pixels: its length and its defects do not damage the image."""

import struct
import zlib

import pytest
from image import MAX_IMAGE_BYTES, fit
from PIL import Image
from sample_images import file, noise, padded, photograph, read

JPEG = file(photograph(320, 240), "JPEG")
PNG = file(noise(32, 32), "PNG")
BAD_EXIF = b"Exif\0\0http://ns.adobe.com/xap"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize(
    "metadata",
    [
        chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * (2**20 + 1))),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(b"x" * 2_000_000)),
        chunk(b"tEXt", b"k\0" + b"x" * (2**20 + 1)),
        chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(64_000_000), 9)),
    ],
    ids=["long text", "large profile", "plain text", "endless text"],
)
def test_a_png_with_long_metadata_is_valid(metadata: bytes) -> None:
    png = file(noise(32, 32), "PNG")
    data = png[:33] + metadata + png[33:]
    image, content_type = fit(data)
    assert content_type == "image/png"
    assert image == (data if len(data) <= MAX_IMAGE_BYTES else image)
    assert len(image) <= MAX_IMAGE_BYTES


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


# Each is in a photograph of somebody's tracker that every viewer shows.
BROKEN_SEGMENTS = {
    "an EXIF segment that is an address": segment(0xE1, BAD_EXIF),
    "an EXIF directory that is cut off": segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
    "a Photoshop block that is cut off": segment(0xED, b"Photoshop 3.0\x008BIM\x07\xdb"),
    "a profile without its number": segment(0xE2, b"ICC_PROFILE\0"),
    "an index of images that is none": segment(0xE2, b"MPF\0garbage"),
    "a short Adobe segment": segment(0xEE, b"Adobe\0"),
    "a short JFIF segment": segment(0xE0, b"JFIF\0"),
    "a comment in Latin-1": segment(0xFE, b"caf\xe9"),
}


@pytest.mark.parametrize("broken", BROKEN_SEGMENTS.values(), ids=BROKEN_SEGMENTS)
def test_a_jpeg_with_broken_metadata_is_valid(broken: bytes) -> None:
    data = JPEG[:2] + broken + JPEG[2:]
    assert fit(data) == (data, "image/jpeg")
    assert read(fit(padded(data))[0]).size == (320, 240)


@pytest.mark.parametrize(
    "broken",
    [
        chunk(b"pHYs", b"\0\0\0"),
        chunk(b"gAMA", b""),
        chunk(b"sRGB", b""),
        chunk(b"iCCP", b"p\0\0not deflated"),
        chunk(b"eXIf", b"junk"),
        chunk(b"eXIf", b"II*\0")[:-4] + bytes(4),
        chunk(b"pHYs", bytes(9))[:-4] + bytes(4),
    ],
    ids=[
        "short resolution",
        "no gamma",
        "no sRGB",
        "bad profile",
        "bad EXIF",
        "EXIF without checksum",
        "without checksum",
    ],
)
def test_a_png_with_broken_metadata_is_valid(broken: bytes) -> None:
    data = PNG[:33] + broken + PNG[33:]
    assert fit(data) == (data, "image/png")
    assert read(fit(padded(data))[0]).size == (32, 32)


def test_an_mpo_file_is_its_first_image() -> None:
    photo = photograph(320, 240)
    mpo = file(photo, "MPO", save_all=True, append_images=[noise(40, 30)])
    assert fit(mpo) == (mpo, "image/jpeg")


def test_a_webp_image_with_broken_exif_is_valid() -> None:
    assert read(fit(file(noise(32, 32), "WEBP", exif=b"Exif\0\0junk"))[0]).size == (32, 32)


def test_the_colours_of_a_cmyk_photograph_are_as_its_adobe_segment_says() -> None:
    photo = file(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG")
    assert b"Adobe" in photo
    red, green, blue = read(fit(padded(photo))[0]).convert("RGB").resize((1, 1)).tobytes()
    assert red > 200
    assert max(green, blue) < 60


def test_the_colours_of_an_rgb_jpeg_are_as_its_adobe_segment_says() -> None:
    photo = file(Image.new("RGB", (64, 64), "red"), "JPEG", keep_rgb=True)
    assert b"\xff\xee\0\x0eAdobe" in photo
    assert read(fit(padded(photo))[0]).getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_image_is_turned_as_its_intact_exif_says(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read(fit(padded(file(noise(64, 32), kind, exif=exif)))[0]).size == (32, 64)

"""What is no image to look at is refused by name, and damaged bytes are seen or refused, never anything else."""

import io
import time
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.training.serving.images import ORIENTATION, SPEC, Encode, Scene, png_chunk, png_that_claims, shows_the_scene
from training.serving.errors import BrokenImage, EmptyImage, ImageError, ImageTooLarge, UnsupportedImage
from training.serving.model import decode, to_pixels


def test_no_bytes_are_refused_as_empty() -> None:
    with pytest.raises(EmptyImage):
        decode(b"")


@pytest.mark.parametrize("data", [b"a text file named .png", b"\0" * 64, b"%PDF-1.7", b"<svg/>"])
def test_what_is_no_image_is_refused_as_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImage, match=data[:8].hex(" ")):
        decode(data)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "ICO"])
def test_a_format_that_nobody_sends_is_refused_as_unsupported(kind: str, scene: Scene, encode: Encode) -> None:
    with pytest.raises(UnsupportedImage):
        decode(encode(scene(), kind))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_truncated_image_is_refused_as_broken(kind: str, encode: Encode) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encode(noise, kind)
    with pytest.raises(BrokenImage):
        decode(data[: len(data) // 2])


def test_a_small_file_that_claims_to_be_huge_is_refused_before_it_is_decoded() -> None:
    begun = time.process_time()
    with pytest.raises(ImageTooLarge, match="8193 x 6144"):
        decode(png_that_claims(8193, 6144))
    with pytest.raises(ImageTooLarge):
        decode(png_that_claims(60_000, 60_000))
    with pytest.raises(ImageTooLarge):
        decode(png_that_claims(10_000, 10_000))
    assert time.process_time() - begun < 10


def test_a_fifty_megapixel_jpeg_is_seen_where_a_png_of_that_size_is_refused(scene: Scene, encode: Encode) -> None:
    photograph = scene(8160, 6120)
    assert shows_the_scene(encode(photograph, "JPEG", quality=50), photograph, tolerance=6)
    with pytest.raises(ImageTooLarge, match="8160 x 6120"):
        decode(png_that_claims(8160, 6120))


def test_the_text_of_a_png_is_not_inflated(scene: Scene, encode: Encode) -> None:
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64_000_000), 9))
    data = encode(scene())
    begun = time.process_time()
    assert shows_the_scene(data[:33] + bomb * 50 + data[33:], scene(), tolerance=1)
    assert time.process_time() - begun < 10


def repeat_scans(data: bytes, times: int) -> bytes:
    """Repeat a progressive JPEG's last scan, which libjpeg decodes again over the whole image."""
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * times + b"\xff\xd9"


@pytest.mark.parametrize(("side", "times"), [(64, 20_000), (64, 100), (4000, 60)])
def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded(
    side: int, times: int, scene: Scene, encode: Encode
) -> None:
    bomb = repeat_scans(encode(scene(side, side), "JPEG", progressive=True), times)
    begun = time.process_time()
    with pytest.raises(ImageTooLarge, match=f"{times + 10:,} scans of {side} x {side} pixels"):
        decode(bomb)
    assert time.process_time() - begun < 10


def test_a_progressive_photo_with_a_usual_number_of_scans_is_decoded(scene: Scene, encode: Encode) -> None:
    photo = scene(4000, 3000)
    assert shows_the_scene(encode(photo, "JPEG", progressive=True), photo, tolerance=6)


@pytest.mark.filterwarnings("ignore:::PIL")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_image_is_seen_or_refused_by_name_never_anything_else(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = to_pixels(decode(bytes(damaged)), SPEC)
    except ImageError:
        return
    assert pixels.shape == (8, 8, 3)


@pytest.mark.filterwarnings("ignore:::PIL")
@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=64))
@example(b"GIF89a" + b"\xff" * 40)
@example(b"RIFF\0\0\0\0WEBPVP8X" + b"\xff" * 30)
@example(b"\xff\xd8\xff\xe0\0\x02\xff\xda")
def test_arbitrary_bytes_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(ImageError):
        decode(data)


def _seeds() -> list[bytes]:
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 256, (12, 12, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    files = []
    for kind, image in [
        ("PNG", noise),
        ("PNG", noise.quantize(8)),
        ("PNG", noise.convert("LA")),
        ("JPEG", noise),
        ("JPEG", noise.convert("CMYK")),
        ("MPO", noise),
        ("GIF", noise),
        ("WEBP", noise),
    ]:
        buffer = io.BytesIO()
        image.save(buffer, kind, exif=exif.tobytes(), save_all=kind in {"GIF", "MPO"}, append_images=[])
        files.append(buffer.getvalue())
    return files


SEEDS = _seeds()

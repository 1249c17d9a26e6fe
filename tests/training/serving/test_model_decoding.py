import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.training.serving.images import ORIENTATION, Encode, Scene, look, png_chunk, shows_the_scene
from training.serving.model import BACKGROUND, decode


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("JPEG", {"quality": 90}), ("JPEG", {"progressive": True}), ("GIF", {}), ("WEBP", {"quality": 90})],
)
def test_every_accepted_format_shows_the_scene(
    kind: str, options: dict[str, object], scene: Scene, encode: Encode
) -> None:
    assert shows_the_scene(encode(scene(), kind, **options), scene(), tolerance=8)


def test_a_twelve_megapixel_jpeg_shows_the_scene_and_is_decoded_reduced(scene: Scene, encode: Encode) -> None:
    photograph = scene(4000, 3000)
    data = encode(photograph, "JPEG", quality=85)
    assert decode(data).size == (500, 375)
    assert shows_the_scene(data, photograph, tolerance=4)


def test_a_jpeg_is_never_reduced_below_what_the_network_may_need(scene: Scene, encode: Encode) -> None:
    assert decode(encode(scene(3000, 400), "JPEG")).size == (3000, 400)
    assert min(decode(encode(scene(900, 700), "JPEG")).size) >= 320


def test_a_16_bit_grey_png_keeps_its_tones(encode: Encode) -> None:
    ramp = np.linspace(0, 65535, 64, dtype=np.uint16)
    data = encode(Image.fromarray(np.tile(ramp, (64, 1))))
    tones = np.asarray(decode(data))[0, :, 0].astype(np.int_)
    assert np.abs(tones - np.linspace(0, 255, 64)).max() <= 1


def test_a_16_bit_colour_png_shows_the_scene(scene: Scene) -> None:
    rows = np.asarray(scene()).astype(">u2") * 257
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(lines))
    assert shows_the_scene(data + png_chunk(b"IEND", b""), scene(), tolerance=1)


def test_a_palette_png_shows_the_scene(scene: Scene, encode: Encode) -> None:
    assert shows_the_scene(encode(scene().quantize(16)), scene(), tolerance=4)


def test_the_transparent_colour_of_a_palette_png_becomes_background(scene: Scene, encode: Encode) -> None:
    palette = scene().quantize(3)
    red = palette.getpixel((40, 10))
    pixels = np.asarray(decode(encode(palette, transparency=red)))
    assert tuple(pixels[10, 40]) == BACKGROUND
    assert tuple(pixels[50, 40]) != BACKGROUND


def test_a_palette_png_with_half_transparent_entries_is_blended(scene: Scene, encode: Encode) -> None:
    data = encode(scene().quantize(3), transparency=bytes([128, 128, 128]))
    blended = Image.blend(scene(), Image.new("RGB", (64, 64), BACKGROUND), 0.5)
    assert shows_the_scene(data, blended, tolerance=3)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_background_whatever_colour_hides_there(
    mode: str, scene: Scene, encode: Encode
) -> None:
    cutout = scene().convert(mode)
    cutout.putalpha(Image.new("L", cutout.size, 0))
    assert np.array_equal(np.asarray(decode(encode(cutout))), np.full((64, 64, 3), BACKGROUND))


def test_the_one_transparent_colour_of_an_rgb_png_becomes_background(scene: Scene, encode: Encode) -> None:
    pixels = np.asarray(decode(encode(scene(), transparency=(200, 40, 30))))
    assert tuple(pixels[10, 40]) == BACKGROUND
    assert tuple(pixels[50, 40]) == (20, 50, 180)


@pytest.mark.parametrize("mode", ["L", "1"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_grey_or_bilevel_image_shows_three_equal_channels(mode: str, kind: str, scene: Scene, encode: Encode) -> None:
    grey = scene().convert(mode)
    pixels = look(encode(grey, kind))
    assert np.ptp(pixels, axis=2).max() == 0
    assert shows_the_scene(encode(grey, kind), grey.convert("RGB"), tolerance=6)


def test_a_cmyk_jpeg_shows_the_scene(scene: Scene, encode: Encode) -> None:
    assert shows_the_scene(encode(scene().convert("CMYK"), "JPEG", quality=95), scene(), tolerance=6)


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (5, Image.Transpose.TRANSPOSE),
        (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
        (8, Image.Transpose.ROTATE_270),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_that_its_camera_says_is_turned_is_seen_upright(
    kind: str, orientation: int, undo: Image.Transpose, scene: Scene, encode: Encode
) -> None:
    upright = scene(96, 64)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encode(upright.transpose(undo), kind, exif=exif.tobytes(), quality=95)
    assert decode(data).size == (96, 64)
    assert shows_the_scene(data, upright, tolerance=6)


def test_a_phones_portrait_photograph_is_reduced_and_upright(scene: Scene, encode: Encode) -> None:
    upright = scene(3000, 4000)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encode(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif.tobytes())
    assert decode(data).size == (375, 500)
    assert shows_the_scene(data, upright, tolerance=4)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0no TIFF header here"])
def test_broken_exif_does_not_spoil_a_good_image(exif: bytes, scene: Scene, encode: Encode) -> None:
    assert shows_the_scene(encode(scene(), "JPEG", exif=exif, quality=95), scene(), tolerance=6)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "MPO"])
def test_of_several_frames_the_first_is_seen(kind: str, scene: Scene, encode: Encode) -> None:
    later = Image.new("RGB", (64, 64), "white")
    data = encode(scene(), kind, save_all=True, append_images=[later, later])
    assert shows_the_scene(data, scene(), tolerance=8)


def test_a_single_pixel_is_an_image(encode: Encode) -> None:
    assert np.array_equal(look(encode(Image.new("RGB", (1, 1), (9, 8, 7)))), np.full((8, 8, 3), (9, 8, 7)))

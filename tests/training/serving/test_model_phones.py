"""Files as phones, editors and transfers leave them."""

import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.training.serving import heic_images
from tests.training.serving.images import ORIENTATION, Encode, Scene, png_chunk, shows_the_scene
from training.serving.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from training.serving.model import decode

VIDEO = b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda" * 500 + b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize("trailer", [VIDEO, b"\xff\xda" * 100, b"\n", b"\0" * 5000, b"SEFH" + bytes(range(256))])
def test_what_follows_a_jpeg_is_not_the_image(trailer: bytes, scene: Scene, encode: Encode) -> None:
    data = encode(scene(), "JPEG", quality=95)
    assert np.array_equal(np.asarray(decode(data + trailer)), np.asarray(decode(data)))


def test_a_gain_map_after_a_large_photo_of_one_scan_does_not_count(scene: Scene, encode: Encode) -> None:
    photo = scene(6400, 6400)
    gain_map = encode(Image.new("L", (800, 800), 40), "JPEG", progressive=True)
    assert shows_the_scene(encode(photo, "JPEG", quality=60) + gain_map * 11, photo, tolerance=6)


def test_of_several_images_in_one_file_the_first_is_decoded(scene: Scene, encode: Encode) -> None:
    data = encode(scene(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64), "white")])
    assert shows_the_scene(data, scene(), tolerance=8)


def test_a_thumbnail_with_scans_of_its_own_does_not_count(scene: Scene, encode: Encode) -> None:
    thumbnail = encode(scene(), "JPEG", progressive=True) * 11
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    data = encode(scene(), "JPEG", quality=95)
    assert shows_the_scene(data[:2] + segment + data[2:], scene(), tolerance=8)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"zTXt", b"k\0\0" + zlib.compress(b"x" * (2**20 + 1))),
        (b"iTXt", b"k\0\1\0\0\0" + zlib.compress(b"x" * (2**20 + 1))),
        (b"tEXt", b"k\0" + b"x" * (2**20 + 1)),
        (b"iCCP", b"p\0\0" + zlib.compress(b"x" * 2_000_000)),
    ],
)
@pytest.mark.parametrize("before_the_pixels", [True, False])
def test_a_png_with_a_long_text_or_a_large_profile_is_valid(
    kind: bytes, body: bytes, before_the_pixels: bool, scene: Scene, encode: Encode
) -> None:
    data = encode(scene())
    position = 33 if before_the_pixels else -12
    assert shows_the_scene(data[:position] + png_chunk(kind, body) + data[position:], scene(), tolerance=1)


def photo_with_line_feeds(scene: Scene, encode: Encode) -> bytes:
    data = encode(scene(640, 480), "JPEG", quality=95)
    assert b"\n" in data
    return data


def test_a_jpeg_that_was_sent_as_text_is_refused(scene: Scene, encode: Encode) -> None:
    with pytest.raises(BrokenImage, match="truncated or corrupt"):
        decode(photo_with_line_feeds(scene, encode).replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_of_which_libjpeg_complains_is_refused(progressive: bool, scene: Scene, encode: Encode) -> None:
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    data = encode(noise, "JPEG", progressive=progressive)
    half = data[: len(data) * 2 // 3].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(BrokenImage, match=r"Corrupt JPEG data|[Pp]remature end"):
        decode(half)


@pytest.mark.parametrize("options", [{"quality": 80}, {"quality": 80, "subsampling": "4:4:4"}])
def test_an_avif_image_shows_the_scene(options: dict[str, object], scene: Scene, encode: Encode) -> None:
    assert shows_the_scene(encode(scene(), "AVIF", **options), scene(), tolerance=8)


def test_an_avif_image_is_turned_upright(scene: Scene, encode: Encode) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encode(scene(96, 64).transpose(Image.Transpose.ROTATE_90), "AVIF", exif=exif.tobytes(), quality=90)
    assert decode(data).size == (96, 64)
    assert shows_the_scene(data, scene(96, 64), tolerance=8)


def test_a_heic_image_shows_the_scene(scene: Scene) -> None:
    assert shows_the_scene(heic_images.UPRIGHT, scene(), tolerance=8)


def test_a_heic_image_is_turned_upright_once(scene: Scene) -> None:
    assert decode(heic_images.TURNED).size == (96, 64)
    assert shows_the_scene(heic_images.TURNED, scene(96, 64), tolerance=8)


@pytest.mark.parametrize(
    "data", [heic_images.UPRIGHT[:-40], heic_images.UPRIGHT[:60], b"\0\0\0\x18ftypheic" + bytes(12)]
)
def test_a_damaged_heic_image_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(BrokenImage):
        decode(data)


def test_a_heic_image_larger_than_the_limit_is_refused_before_it_is_decoded() -> None:
    size = heic_images.UPRIGHT.index(b"ispe") + 8
    huge = (60_000).to_bytes(4, "big") * 2
    with pytest.raises((ImageTooLarge, BrokenImage)):
        decode(heic_images.UPRIGHT[:size] + huge + heic_images.UPRIGHT[size + 8 :])


def test_a_build_without_the_decoder_refuses_heic_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(UnsupportedImage, match="the image is HEIC"):
        decode(heic_images.UPRIGHT)


def test_the_decoder_of_heic_is_loaded_for_heic_alone(encode: Encode, scene: Scene) -> None:
    code = (
        "import sys; from training.serving.model import decode; "
        f"decode({encode(scene())!r}); decode({encode(scene(), 'JPEG')!r}); "
        "print('pi_heif' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

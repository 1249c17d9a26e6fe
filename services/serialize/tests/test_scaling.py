"""A new file is as large as fits, scaled down well and no further than that takes."""

import image
import pytest
from image import MAX_SIDE, encoded, fit, in_plain_mode, open_image, upright_thumbnail
from PIL import Image, JpegImagePlugin
from sample_images import file, noise, read


def reference(source: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return ``source`` in another size, by Lanczos resampling from an image at least twice as large."""
    return source.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def test_a_thumbnail_is_made_by_lanczos_resampling() -> None:
    source = noise(4 * MAX_SIDE, 40)
    thumbnail = upright_thumbnail(open_image(file(source, "PNG"), "PNG"))
    assert thumbnail.tobytes() == reference(source, (MAX_SIDE, 10)).tobytes()


def test_a_file_that_is_too_large_is_made_smaller_by_lanczos_resampling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "MAX_IMAGE_BYTES", 4000)
    source = noise(1000, 40)
    smaller = read(encoded(source, "PNG"))
    assert source.width / smaller.width > 4
    assert smaller.tobytes() == reference(source, smaller.size).tobytes()


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size() -> None:
    opened = open_image(file(Image.new("RGB", (8192, 160)), "JPEG"), "JPEG")
    assert upright_thumbnail(opened).size == (1024, 20)
    assert opened.size == (1024, 20)


def test_a_strip_of_one_pixel_stays_one_pixel_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(fit(file(noise(1, 3000), "WEBP", lossless=True))[0]).size == (1, 1024)
    monkeypatch.setattr(image, "MAX_IMAGE_BYTES", 200)
    for size in ((1, 1024), (1024, 1)):
        smaller = read(encoded(noise(*size, "L"), "PNG")).size
        assert min(smaller) == 1
        assert 1 < max(smaller) < 1024


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_new_file_of_exactly_the_limit_is_not_made_smaller(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = noise(60, 40)
    whole = encoded(source, kind)
    monkeypatch.setattr(image, "MAX_IMAGE_BYTES", len(whole))
    assert encoded(source, kind) == whole
    monkeypatch.setattr(image, "MAX_IMAGE_BYTES", len(whole) - 1)
    assert read(encoded(source, kind)).width < source.width


def test_a_new_jpeg_has_quality_90() -> None:
    ours, theirs = read(encoded(noise(60, 40), "JPEG")), read(file(noise(60, 40), "JPEG", quality=90))
    assert isinstance(ours, JpegImagePlugin.JpegImageFile)
    assert isinstance(theirs, JpegImagePlugin.JpegImageFile)
    assert ours.quantization == theirs.quantization


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_an_image_in_a_plain_mode_is_not_copied(mode: str) -> None:
    plain = noise(4, 4, mode)
    assert in_plain_mode(plain) is plain

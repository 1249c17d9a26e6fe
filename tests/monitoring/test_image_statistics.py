import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from monitoring.image_statistics import measure

SCENE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_image_statistics_tell_what_changed() -> None:
    usual = measure(png(SCENE))
    dark = measure(png(SCENE.point(lambda value: value // 3)))
    soft = measure(png(SCENE.filter(ImageFilter.GaussianBlur(2))))
    grey = measure(png(SCENE.convert("L").convert("RGB")))
    large = measure(png(SCENE.resize((400, 100), Image.Resampling.NEAREST)))
    assert usual is not None
    assert dark is not None
    assert soft is not None
    assert grey is not None
    assert large is not None
    assert dark.brightness < usual.brightness / 2
    assert dark.contrast < usual.contrast / 2
    assert dark.sharpness == pytest.approx(usual.sharpness, rel=0.05)
    assert soft.sharpness < usual.sharpness / 2
    assert (grey.colour, usual.size, large.size) == (0, 32, 200)


def test_a_blank_image_has_no_sharpness() -> None:
    result = measure(png(Image.new("RGB", (32, 32), (90, 90, 90))))
    assert result is not None
    assert result.brightness == pytest.approx(90, abs=0.01)
    assert result.contrast == pytest.approx(0, abs=1e-3)
    assert result.sharpness == 0


@pytest.mark.parametrize("data", [b"", b"text", png(SCENE)[:100]])
def test_what_is_no_image_has_no_statistics(data: bytes) -> None:
    assert measure(data) is None

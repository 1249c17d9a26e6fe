import base64
import io

import pytest
from PIL import Image

from core.thumbnails import data_uri


def png(width: int = 40, height: int = 30) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), "gray").save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("content", [None, b"", b"text", png()[:40], b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_is_no_image_has_no_thumbnail(content: bytes | None) -> None:
    assert data_uri(content, 160) is None


def test_a_thumbnail_is_small_and_keeps_the_shape() -> None:
    uri = data_uri(png(1000, 500), 160)
    assert uri is not None
    assert Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).size == (160, 80)


def test_more_pixels_than_a_page_is_worth_are_not_decoded() -> None:
    assert data_uri(png(10_000, 4_001), 160) is None

"""Thumbnails as data URIs, for pages that load nothing from elsewhere."""

import base64
import io
import warnings

from PIL import Image

_MAX_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def data_uri(content: bytes | None, side: int) -> str | None:
    """Return an image as a data URI of a PNG, at most ``side`` pixels wide and high.

    None where it cannot be decoded, or has too many pixels to be.
    """
    if content is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            image.draft("RGB", (side, side))
            image.thumbnail((side, side))
            small = image.convert("RGB")
    except Exception:  # noqa: BLE001 - damaged bytes lead Pillow into errors of many kinds
        return None
    out = io.BytesIO()
    small.save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"

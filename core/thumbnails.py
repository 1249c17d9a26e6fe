"""Thumbnails, for pages that load nothing from elsewhere."""

import base64
import io
import warnings

from core.image_formats import open_image


def data_uri(content: bytes | None, side: int) -> str | None:
    """Return :func:`png_thumbnail` as a data URI."""
    thumbnail = png_thumbnail(content, side)
    return None if thumbnail is None else f"data:image/png;base64,{base64.b64encode(thumbnail).decode()}"


def png_thumbnail(content: bytes | None, side: int) -> bytes | None:
    """Return an image as a PNG of at most ``side`` pixels wide and high, or None if it cannot be decoded in reason."""
    if content is None:
        return None
    try:
        with warnings.catch_warnings(action="ignore"), open_image(content) as image:
            image.draft("RGB", (side, side))
            image.thumbnail((side, side))
            small = image.convert("RGB")
    except Exception:  # noqa: BLE001 - damaged bytes lead Pillow into errors of many kinds
        return None
    out = io.BytesIO()
    small.save(out, "PNG")
    return out.getvalue()

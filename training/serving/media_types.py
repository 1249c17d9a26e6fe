"""Content negotiation: the Content-Type of requests and the Accept of responses."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from training.serving.errors import NotAcceptable, UnsupportedMediaType

IMAGE_TYPES: Final = ("image/png", "image/jpeg", "application/x-image")
RESPONSE_FORMATS: Final[Mapping[str, Callable[[Sequence[float]], str]]] = MappingProxyType(
    {
        "application/json": lambda probabilities: json.dumps(list(probabilities)),
        "application/jsonlines": lambda probabilities: json.dumps({"prediction": list(probabilities)}),
    }
)


def check_content_type(header: str | None) -> None:
    """Accept any of the image types; the content is checked later. Raises UnsupportedMediaType."""
    if _media_type(header or "") not in IMAGE_TYPES:
        raise UnsupportedMediaType(f"Content-Type is {excerpt(header)!r}: send one image as {', '.join(IMAGE_TYPES)}")


def choose_response_type(accept: str | None) -> str:
    """Return the key of RESPONSE_FORMATS that the Accept header prefers, JSON where it has no preference.

    The most specific range that matches a type determines its quality (RFC 9110, 12.5.1). Raises NotAcceptable.
    """
    if not accept or not accept.strip():
        return next(iter(RESPONSE_FORMATS))
    qualities = dict(_quality(media_range) for media_range in accept.split(","))
    best = max(RESPONSE_FORMATS, key=lambda media_type: _quality_of(media_type, qualities))
    if _quality_of(best, qualities) <= 0:
        raise NotAcceptable(f"Accept is {excerpt(accept)!r}: the response is {' or '.join(RESPONSE_FORMATS)}")
    return best


def excerpt(header: str | None) -> str | None:
    """Return the beginning of a header for messages: a client may send a hundred thousand characters."""
    return header[:80] if header else header


def _quality_of(media_type: str, qualities: Mapping[str, float]) -> float:
    for media_range in (media_type, "application/*", "*/*"):
        if media_range in qualities:
            return qualities[media_range]
    return 0


def _quality(media_range: str) -> tuple[str, float]:
    for parameter in media_range.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return _media_type(media_range), _number(value)
    return _media_type(media_range), 1


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0), 1)
    except ValueError:
        return 0


def _media_type(header: str) -> str:
    return header.split(";", maxsplit=1)[0].strip().lower()

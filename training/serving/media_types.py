"""What the server reads and what it can answer with: Content-Type and Accept."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from training.serving.errors import NotAcceptable, UnsupportedMediaType

IMAGE_TYPES: Final = ("image/png", "image/jpeg", "application/x-image")
ANSWERS: Final[Mapping[str, Callable[[Sequence[float]], str]]] = MappingProxyType(
    {
        "application/json": lambda probabilities: json.dumps(list(probabilities)),
        "application/jsonlines": lambda probabilities: json.dumps({"prediction": list(probabilities)}),
    }
)


def check_content_type(header: str | None) -> None:
    """Accept any of the image types, whatever the bytes turn out to be. Raises UnsupportedMediaType."""
    if _essence(header or "") not in IMAGE_TYPES:
        raise UnsupportedMediaType(f"Content-Type is {excerpt(header)!r}: send one image as {', '.join(IMAGE_TYPES)}")


def choose_answer(accept: str | None) -> str:
    """Return the type of `ANSWERS` that an Accept header wants most; JSON where it leaves the choice.

    The most specific range that matches a type decides its quality (RFC 9110, 12.5.1). Raises NotAcceptable.
    """
    if not accept or not accept.strip():
        return next(iter(ANSWERS))
    qualities = dict(_quality(media_range) for media_range in accept.split(","))
    best = max(ANSWERS, key=lambda answer: _wish(answer, qualities))
    if _wish(best, qualities) <= 0:
        raise NotAcceptable(f"Accept is {excerpt(accept)!r}: the answer comes as {' or '.join(ANSWERS)}")
    return best


def excerpt(header: str | None) -> str | None:
    """Return as much of a header as is fit to be shown: a caller may send a hundred thousand characters."""
    return header[:80] if header else header


def _wish(answer: str, qualities: Mapping[str, float]) -> float:
    for media_range in (answer, "application/*", "*/*"):
        if media_range in qualities:
            return qualities[media_range]
    return 0


def _quality(media_range: str) -> tuple[str, float]:
    for parameter in media_range.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return _essence(media_range), _number(value)
    return _essence(media_range), 1


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0), 1)
    except ValueError:
        return 0


def _essence(media_type: str) -> str:
    return media_type.split(";", maxsplit=1)[0].strip().lower()

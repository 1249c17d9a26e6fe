"""Resizes a decoded image to the network's input: the same code in training and in serving."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.serving.errors import InvalidPreprocessing
from training.serving.image_decoding import MIN_DRAFT_SIDE

_RESAMPLING: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image is resized; the `preprocessing` object of model.json.

    `size`: side of the square input, in pixels. `resample`: bilinear, bicubic or lanczos. `fit`: how an image becomes
    square; "squash" stretches it, as the thumbnails of CIFAR are. `through`: a smaller side to resize to first, so that
    a photo is as coarse as the training images; None resizes to `size` at once.
    """

    size: int
    resample: str = "bicubic"
    fit: str = "squash"
    through: int | None = None

    def __post_init__(self) -> None:
        _check_side("size", self.size)
        if self.through is not None:
            _check_side("through", self.through)
        if str(self.resample) not in _RESAMPLING:  # model.json may have a value that cannot be hashed
            raise InvalidPreprocessing(f"resample is {self.resample!r:.200}: use one of {', '.join(_RESAMPLING)}")
        if self.fit != "squash":
            raise InvalidPreprocessing(f"fit is {self.fit!r:.200}: only 'squash' is known")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises InvalidPreprocessing for a missing, unknown or impossible field."""
        try:
            return cls(**fields)
        except TypeError as error:
            raise InvalidPreprocessing(f"preprocessing is {fields!r:.200}: {error!s:.200}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)


def to_pixels(image: Image.Image, spec: Preprocessing) -> npt.NDArray[np.uint8]:
    """Return an RGB image as the network's input, (size, size, 3) RGB, antialiased."""
    if spec.through is not None:
        image = _squash(image, spec.through, spec.resample)
    return np.array(_squash(image, spec.size, spec.resample))


def _squash(image: Image.Image, side: int, resample: str) -> Image.Image:
    return image.resize((side, side), _RESAMPLING[resample], reducing_gap=3.0)


def _check_side(name: str, side: object) -> None:
    if not isinstance(side, int) or isinstance(side, bool) or not 8 <= side <= MIN_DRAFT_SIDE:
        raise InvalidPreprocessing(
            f"{name} is {side!r}: it must be a whole number of pixels from 8 to {MIN_DRAFT_SIDE}"
        )

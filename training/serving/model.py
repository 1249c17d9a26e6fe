"""The trained network of a model directory: from an image's bytes to the probability of each label.

An image is decoded to upright RGB and resized as `model.json` says, alike in training and serving. ONNX Runtime runs
`model.onnx`. Colour profiles are ignored; the pixel values are taken as sRGB.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import onnxruntime
import simplejpeg
from PIL import Image, ImageFile, ImageOps

from core.errors import ImageTooCostly, UnknownImageFormat
from core.image_formats import jpeg_end_and_scans, open_image
from core.labels import VEHICLES, Labels
from core.predictions import is_probability_pair
from training.serving.errors import (
    BrokenImage,
    EmptyImage,
    ImageTooLarge,
    InvalidModel,
    InvalidPreprocessing,
    ModelNotFound,
    UnsupportedImage,
)

FORMAT: Final = 1
_MAX_DESCRIPTION_BYTES: Final = 1 << 20
_PROBABLE: Final = 0.5
_EXTERNAL_DATA: Final = b"\x0a\x08location\x12"  # an entry of a tensor's external_data, as protobuf encodes it
MAX_PIXELS: Final = 8192 * 6144  # a 50-megapixel phone's JPEG, which is decoded at an eighth of its sides
MAX_DECODED_PIXELS: Final = 6144 * 4096  # 100 MB: formats that are not reduced on decoding take 4 bytes a pixel
BACKGROUND: Final = (128, 128, 128)  # behind transparent pixels: dark and light cut-outs are visible on it
MIN_DRAFT_SIDE: Final = 320  # a JPEG is decoded at a fraction of its size, as long as neither side is smaller
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


def _check_side(name: str, side: object) -> None:
    if not isinstance(side, int) or isinstance(side, bool) or not 8 <= side <= MIN_DRAFT_SIDE:
        raise InvalidPreprocessing(
            f"{name} is {side!r}: it must be a whole number of pixels from 8 to {MIN_DRAFT_SIDE}"
        )


class Model:
    """A loaded network and its preprocessing. Any number of threads may use it at the same time."""

    def __init__(
        self, session: onnxruntime.InferenceSession, preprocessing: Preprocessing, *, knows_neither: bool = False
    ) -> None:
        self.preprocessing = preprocessing
        self.knows_neither = knows_neither
        self._session = session

    def classify(self, data: bytes) -> list[float]:
        """Return the probability of each label, [p_0, p_1], for an encoded image.

        Raises an ImageError, or InvalidModel where the network's output is not two probabilities.
        """
        return self.predict(to_pixels(decode(data), self.preprocessing))

    def predict(self, pixels: npt.NDArray[np.uint8]) -> list[float]:
        """Return [p_0, p_1] for one image of the network's size, (size, size, 3) RGB."""
        (batch,) = self._session.run(["probabilities"], {"pixels": pixels[np.newaxis]})
        probabilities: list[float] = batch[0].tolist()
        if not is_probability_pair(probabilities):
            raise InvalidModel(f"the network's output is {probabilities}: that is not one probability for each label")
        return probabilities


def load(model_dir: Path, threads: int = 1, labels: Labels = VEHICLES) -> Model:
    """Load the model of a directory and run it once; `threads` is for one inference.

    Raises ModelNotFound, InvalidModel or InvalidPreprocessing.
    """
    preprocessing, knows_neither = _read_description(model_dir / "model.json", labels)
    session = _open_session(model_dir / "model.onnx", threads)
    _check_signature(session, preprocessing.size)
    model = Model(session, preprocessing, knows_neither=knows_neither)
    side = preprocessing.size
    model.predict(np.full((side, side, 3), 128, dtype=np.uint8))
    return model


def is_probably_neither(probabilities: Sequence[float]) -> bool:
    """Tell whether an image more likely shows neither label, of a network that knows what neither looks like.

    With q the probability of neither, such a network's likelier label has (1 - q) p + q/2, which is at most 1 - q/2:
    below 0.75 for q above a half. Of 200 photographs of neither, 197 are below that, and of 200 of vehicles, 5.
    """
    return max(probabilities) < 1 - _PROBABLE / 2


def decode(data: bytes) -> Image.Image:
    """Decode a PNG, JPEG, GIF, WebP, AVIF or HEIC image to upright RGB; of an animation, the first frame.

    A large JPEG is reduced, to sides of at least `MIN_DRAFT_SIDE`. Raises EmptyImage, UnsupportedImage, BrokenImage or
    ImageTooLarge.
    """
    if not data:
        raise EmptyImage("the body is empty: send the bytes of one image")
    try:
        with open_image(data, max_pixels=MAX_DECODED_PIXELS, max_jpeg_pixels=MAX_PIXELS) as image:
            if image.format == "JPEG":
                _verify_jpeg(data, image)
            image.draft(None, (MIN_DRAFT_SIDE, MIN_DRAFT_SIDE))
            if image.width * image.height > MAX_DECODED_PIXELS:
                raise ImageTooCostly(f"{image.width} x {image.height} pixels after reduction")
            image.load()
            _set_upright(image)
            return _to_rgb(image)
    except UnknownImageFormat as error:
        raise UnsupportedImage(f"{len(data)} bytes that begin with {data[:8].hex(' ')}: {error}") from error
    except (ImageTooCostly, MemoryError, Image.DecompressionBombError) as error:
        raise ImageTooLarge(f"decoding takes too much memory or time ({error}): send a smaller image") from error
    except Exception as error:  # Pillow's decoders raise whatever hostile bytes make them raise
        raise BrokenImage(f"the image is truncated or corrupt ({error}): send the whole file") from error


def _verify_jpeg(data: bytes, image: ImageFile.ImageFile) -> None:
    """Raise ValueError where libjpeg decodes the image with a warning, which Pillow suppresses."""
    end, _ = jpeg_end_and_scans(data)
    colours = "CMYK" if image.mode == "CMYK" else "GRAY"
    simplejpeg.decode_jpeg(data[:end], colorspace=colours, min_factor=8, strict=True)


def _set_upright(image: Image.Image) -> None:
    with suppress(Exception):  # broken EXIF raises anything, and the pixels are good without it
        ImageOps.exif_transpose(image, in_place=True)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":  # 16-bit grey, which Pillow's own conversion clips at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    background = Image.new("RGB", image.size, BACKGROUND)
    background.paste(layer, mask=layer)
    return background


def to_pixels(image: Image.Image, spec: Preprocessing) -> npt.NDArray[np.uint8]:
    """Return an RGB image as the network's input, (size, size, 3) RGB, antialiased."""
    if spec.through is not None:
        image = _squash(image, spec.through, spec.resample)
    return np.array(_squash(image, spec.size, spec.resample))


def _squash(image: Image.Image, side: int, resample: str) -> Image.Image:
    return image.resize((side, side), _RESAMPLING[resample], reducing_gap=3.0)


def _read_description(path: Path, labels: Labels) -> tuple[Preprocessing, bool]:
    """Return the preprocessing, and whether the network was trained on images of neither label."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_DESCRIPTION_BYTES + 1)
        if len(text) > _MAX_DESCRIPTION_BYTES:
            raise InvalidModel(f"{path} is longer than {_MAX_DESCRIPTION_BYTES} bytes: package the model again")
        fields: Any = json.loads(text)
    except FileNotFoundError as error:
        raise ModelNotFound(f"there is no {path}: a model directory has model.onnx and model.json") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidModel(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise InvalidModel(f"{path} is not of format {FORMAT}: train or package the model again")
    if fields.get("labels") != list(labels):
        shown = f"{fields.get('labels')!r:.200}"
        raise InvalidModel(f"{path} has the labels {shown}, not {list(labels)}: LABELS must name those of the model")
    try:
        preprocessing = Preprocessing.from_dict(fields.get("preprocessing", {}))
    except InvalidPreprocessing as error:
        raise InvalidPreprocessing(f"{path}: {error}") from error
    calibration = fields.get("calibration")
    return preprocessing, isinstance(calibration, dict) and "offset" in calibration


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    try:
        network = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelNotFound(f"there is no {path}: a model directory has model.onnx and model.json") from error
    except OSError as error:
        raise InvalidModel(f"{path} cannot be read: {error}") from error
    if _EXTERNAL_DATA in network:  # ONNX Runtime would read any file that it names
        raise InvalidModel(f"{path} keeps its weights in another file: export it as one file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise InvalidModel(f"ONNX Runtime cannot load {path}: {error}") from error


def _check_signature(session: onnxruntime.InferenceSession, side: int) -> None:
    inputs = [(node.name, node.type, node.shape[1:]) for node in session.get_inputs()]
    outputs = [(node.name, node.type) for node in session.get_outputs()]
    if inputs != [("pixels", "tensor(uint8)", [side, side, 3])] or outputs != [("probabilities", "tensor(float)")]:
        raise InvalidModel(
            f"model.onnx has inputs {inputs} and outputs {outputs}: with preprocessing to {side} pixels the input must"
            f" be 'pixels', uint8 (N, {side}, {side}, 3), and the output 'probabilities', float32 (N, 2)"
        )

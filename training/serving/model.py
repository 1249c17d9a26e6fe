"""The trained network: `model.onnx` and `model.json` of a model directory, run by ONNX Runtime."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from core.labels import VEHICLES, Labels
from core.predictions import is_probability_pair
from training.serving.errors import InvalidModel, InvalidPreprocessing, ModelNotFound
from training.serving.preprocessing import Preprocessing, decode, to_pixels

FORMAT: Final = 1
_MAX_DESCRIPTION_BYTES: Final = 1 << 20
_PROBABLE: Final = 0.5
_EXTERNAL_DATA: Final = b"\x0a\x08location\x12"  # an entry of a tensor's external_data, as protobuf encodes it


def is_probably_neither(probabilities: Sequence[float]) -> bool:
    """Tell whether an image more likely shows neither label, of a network that knows what neither looks like.

    With q the probability of neither, such a network's likelier label has (1 - q) p + q/2, which is at most 1 - q/2:
    below 0.75 for q above a half. Of 200 photographs of neither, 197 are below that, and of 200 of vehicles, 5.
    """
    return max(probabilities) < 1 - _PROBABLE / 2


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

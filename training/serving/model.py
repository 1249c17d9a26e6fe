"""The trained network: a model directory's `model.onnx` and `model.json`, run by ONNX Runtime."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from training.serving.errors import InvalidModel, InvalidPreprocessing, ModelNotFound
from training.serving.preprocessing import Preprocessing, decode, to_pixels
from training.serving.settings import VEHICLES

FORMAT: Final = 1
_SUM_TOLERANCE: Final = 1e-3


class Model:
    """A network that has answered once, and its preprocessing. Any number of threads may ask it at the same time."""

    def __init__(self, session: onnxruntime.InferenceSession, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._session = session

    def classify(self, data: bytes) -> list[float]:
        """Return one probability for each label, [p_0, p_1], for an encoded image.

        Raises an ImageError for bytes that are no image to look at, InvalidModel for an answer that is no probability.
        """
        return self.predict(to_pixels(decode(data), self.preprocessing))

    def predict(self, pixels: npt.NDArray[np.uint8]) -> list[float]:
        """Return [p_0, p_1] for one image of the network's size, (size, size, 3) RGB."""
        (answers,) = self._session.run(["probabilities"], {"pixels": pixels[np.newaxis]})
        probabilities: list[float] = answers[0].tolist()
        if not _are_probabilities(probabilities):
            raise InvalidModel(f"the network answered {probabilities}: that is not one probability for each label")
        return probabilities


def load(model_dir: Path, threads: int = 1, labels: Sequence[str] = VEHICLES) -> Model:
    """Load and try out the model in a directory; `threads` is for one inference, `labels` is what it must tell apart.

    Raises ModelNotFound, InvalidModel or InvalidPreprocessing.
    """
    preprocessing = _read_preprocessing(model_dir / "model.json", labels)
    session = _open_session(model_dir / "model.onnx", threads)
    _check_signature(session, preprocessing.size)
    model = Model(session, preprocessing)
    side = preprocessing.size
    model.predict(np.full((side, side, 3), 128, dtype=np.uint8))
    return model


def _read_preprocessing(path: Path, labels: Sequence[str]) -> Preprocessing:
    try:
        fields: Any = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelNotFound(f"there is no {path}: the model directory must hold model.onnx and model.json") from error
    except (OSError, ValueError) as error:
        raise InvalidModel(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise InvalidModel(f"{path} is not of format {FORMAT}: train or package the model again")
    if fields.get("labels") != list(labels):
        raise InvalidModel(
            f"{path} has the labels {fields.get('labels')!r}: this server answers for {list(labels)}; LABELS says which"
        )
    try:
        return Preprocessing.from_dict(fields.get("preprocessing", {}))
    except InvalidPreprocessing as error:
        raise InvalidPreprocessing(f"{path}: {error}") from error


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelNotFound(f"there is no {path}: the model directory must hold model.onnx and model.json")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise InvalidModel(f"ONNX Runtime cannot load {path}: {error}") from error


def _check_signature(session: onnxruntime.InferenceSession, side: int) -> None:
    inputs = [(node.name, node.type, node.shape[1:]) for node in session.get_inputs()]
    outputs = [(node.name, node.type) for node in session.get_outputs()]
    if inputs != [("pixels", "tensor(uint8)", [side, side, 3])] or outputs != [("probabilities", "tensor(float)")]:
        raise InvalidModel(
            f"model.onnx takes {inputs} and gives {outputs}: with preprocessing to {side} pixels it must take"
            f" 'pixels', uint8 (N, {side}, {side}, 3), and give 'probabilities', float32 (N, 2)"
        )


def _are_probabilities(values: list[float]) -> bool:
    return (
        len(values) == len(VEHICLES)
        and all(math.isfinite(value) and value >= 0 for value in values)
        and math.isclose(sum(values), 1, abs_tol=_SUM_TOLERANCE)
    )

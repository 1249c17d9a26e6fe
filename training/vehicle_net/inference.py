"""Predictions of an exported graph, by ONNX Runtime on the CPU."""

from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import onnxruntime


def session_of(model: Path | bytes, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def predict(
    session: onnxruntime.InferenceSession, pixels: npt.NDArray[np.uint8], *, batch: int = 50
) -> npt.NDArray[np.float32]:
    """Probabilities (N, 2) of pixels (N, S, S, 3)."""
    parts = [session.run(["probabilities"], {"pixels": pixels[i : i + batch]})[0] for i in range(0, len(pixels), batch)]
    return cast("npt.NDArray[np.float32]", np.concatenate(parts))

"""How long a prediction takes on one thread, measured alternately with the reference model in the same run."""

import io
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from training.serving.model import Preprocessing, decode, to_pixels
from training.vehicle_net.channels import Images
from training.vehicle_net.inference import session_of
from training.vehicle_net.reference_model import SIDE, resnet152


@dataclass(frozen=True)
class Speed:
    """Milliseconds from PNG bytes to probabilities, batch 1, one thread: the median and the 99th percentile.

    Of `predictions` predictions of each, on `machine`.
    """

    median: float
    p99: float
    reference_median: float
    predictions: int
    machine: str

    @property
    def ratio(self) -> float:
        """How many times faster than the reference model."""
        return self.reference_median / self.median


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """The image as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _predictor(session: onnxruntime.InferenceSession, spec: Preprocessing) -> Callable[[bytes], None]:
    def predict(data: bytes) -> None:
        session.run(["probabilities"], {"pixels": to_pixels(decode(data), spec)[None]})

    return predict


def _reference() -> Callable[[bytes], None]:
    session, spec = session_of(resnet152().SerializeToString()), Preprocessing(SIDE)

    def predict(data: bytes) -> None:
        pixels = to_pixels(decode(data), spec).transpose(2, 0, 1)[None].astype(np.float32) / 255
        session.run(["probabilities"], {"pixels": pixels})

    return predict


def measure(model: Path, spec: Preprocessing, images: Images, *, rounds: int = 5, each: int = 40) -> Speed:
    """Time the model and the reference model alternately, `rounds` times `each` predictions."""
    files = [png(pixels) for pixels in images.pixels[:each]]
    contenders = (_predictor(session_of(model), spec), _reference())
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for predict, times in zip(contenders, taken, strict=True):
            for data in files:
                began = time.perf_counter()
                predict(data)
                if turn:  # the first round warms up
                    times.append((time.perf_counter() - began) * 1e3)
    ours, theirs = (np.array(times) for times in taken)
    return Speed(float(np.median(ours)), float(np.quantile(ours, 0.99)), float(np.median(theirs)), len(ours), machine())


def machine() -> str:
    """Name this machine: its processor, where the system tells, else its kind."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8", "replace").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"

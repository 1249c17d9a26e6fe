import json
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from training.data.synthetic import Kind, render_many
from training.serving.model import Preprocessing, to_pixels
from training.vehicle_net.metrics import THRESHOLD
from training.vehicle_net.neither import frames
from training.vehicle_net.package import SHIPPED, check

LARGEST = 7_000_000


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((SHIPPED / "model.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(SHIPPED / "model.onnx", providers=["CPUExecutionProvider"])


def test_the_shipped_model_is_complete_and_names_its_labels_in_order(description: dict[str, Any]) -> None:
    check(SHIPPED)
    assert description["labels"] == ["bicycle", "motorcycle"]


def test_the_graph_takes_the_pixels_that_the_description_promises(
    description: dict[str, Any], session: onnxruntime.InferenceSession
) -> None:
    (pixels,), (probabilities,) = session.get_inputs(), session.get_outputs()
    size = Preprocessing.from_dict(description["preprocessing"]).size
    assert (pixels.name, pixels.type, pixels.shape[1:]) == ("pixels", "tensor(uint8)", [size, size, 3])
    assert (probabilities.name, probabilities.type, probabilities.shape[1:]) == ("probabilities", "tensor(float)", [2])


@pytest.mark.parametrize("batch", [1, 5])
def test_predictions_for_any_image_are_probabilities(
    description: dict[str, Any], session: onnxruntime.InferenceSession, batch: int
) -> None:
    size = description["preprocessing"]["size"]
    pixels = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3)).astype(np.uint8)
    (probabilities,) = session.run(["probabilities"], {"pixels": pixels})
    assert probabilities.shape == (batch, 2)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_rendered_vehicles_are_recognised(description: dict[str, Any], session: onnxruntime.InferenceSession) -> None:
    spec = Preprocessing.from_dict(description["preprocessing"])
    labels = np.arange(60) % 2
    images = [Image.fromarray(pixels) for pixels in render_many(labels.tolist(), 77_000_000)]
    pixels = np.stack([to_pixels(image, spec) for image in images])
    (probabilities,) = session.run(["probabilities"], {"pixels": pixels})
    assert (probabilities.argmax(axis=1) == labels).mean() >= 0.85


def accepted(description: dict[str, Any], session: onnxruntime.InferenceSession, images: list[np.ndarray]) -> int:
    """How many images are predicted at the workflow's threshold or above."""
    spec = Preprocessing.from_dict(description["preprocessing"])
    pixels = np.stack([to_pixels(Image.fromarray(image), spec) for image in images])
    (probabilities,) = session.run(["probabilities"], {"pixels": pixels})
    return int((probabilities.max(axis=1) >= THRESHOLD).sum())


@pytest.mark.parametrize("side", [32, 128])
@pytest.mark.parametrize("kind", ["car", "scene"])
def test_a_car_and_a_scene_of_neither_are_not_accepted(
    description: dict[str, Any], session: onnxruntime.InferenceSession, kind: Kind, side: int
) -> None:
    images = list(render_many([kind] * 60, 78_000_000, side))
    assert accepted(description, session, images) <= 1


def test_a_frame_without_content_is_never_accepted(
    description: dict[str, Any], session: onnxruntime.InferenceSession
) -> None:
    assert accepted(description, session, list(frames(80, seed=9).pixels)) == 0


def test_the_shipped_graph_is_small_enough_for_git() -> None:
    assert (SHIPPED / "model.onnx").stat().st_size <= LARGEST


def test_the_figures_in_the_description_are_those_of_a_cross_validation(description: dict[str, Any]) -> None:
    figures = description["metrics"]["cross_validation"]
    assert figures["images"] >= 1000
    assert figures["accuracy"] == figures["correct"] / figures["images"]
    assert figures["accuracy"] >= 0.95
    assert figures["ece"] <= 0.03

import io

import numpy as np
from PIL import Image

from monitoring.capture.record import parse
from monitoring.window import InferenceWindow
from tests.monitoring.captures import NOON, line

SCENE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_window_samples_images_and_keeps_every_prediction() -> None:
    predictions = [parse(line(str(n), NOON, image=png(SCENE) if n % 2 else b"broken")) for n in range(100)]
    result = InferenceWindow.of(iter(predictions), sample=20)
    assert (len(result), len(result.images) + result.unreadable) == (100, 20)
    assert 3 <= result.unreadable <= 17
    assert result.times[0] == NOON.timestamp()


def test_a_window_without_images_has_predictions_only() -> None:
    result = InferenceWindow.of([parse(line("a", image=None))])
    assert (len(result), result.images, result.unreadable) == (1, (), 0)

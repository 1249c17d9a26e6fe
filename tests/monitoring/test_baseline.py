import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from monitoring.baseline import Baseline, CalibrationReference, rounded
from monitoring.errors import BaselineNotFound, BaselineTooSmall, UnreadableBaseline
from monitoring.image_statistics import NAMES, measure

SCENE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def baseline(n: int = 100) -> Baseline:
    result = measure(png(SCENE))
    assert result is not None
    predictions = np.linspace(0.5, 1, n)
    reference = CalibrationReference.of(predictions, 0.9)
    return Baseline.of(predictions, [0, 1] * (n // 2), [result] * n, source="here", reference=reference, model="ab")


def test_a_baseline_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made, path = baseline(), tmp_path / "baseline.json"
    made.write(path)
    read = Baseline.read(path)
    assert (read.source, read.n, read.labels, read.reference, read.model) == (
        "here",
        100,
        (50, 50),
        made.reference,
        "ab",
    )
    assert np.array_equal(read.confidences, made.confidences)
    assert {name: values.tolist() for name, values in read.images.items()} == {
        name: made.images[name].tolist() for name in NAMES
    }


def test_a_large_baseline_keeps_its_distribution() -> None:
    made = baseline(10_000)
    assert (made.n, len(made.confidences)) == (10_000, 2000)
    assert made.confidences[[0, -1]].tolist() == [0.5, 1.0]
    assert np.median(made.confidences) == pytest.approx(0.75, abs=1e-3)


def test_both_sides_are_rounded_alike() -> None:
    assert rounded([0.123456789, 123.456789, 0.99999951, 0.0]).tolist() == [0.12346, 123.46, 1.0, 0.0]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1))
def test_what_is_rounded_stays_as_it_is(values: list[float]) -> None:
    once = rounded(values)
    assert np.array_equal(rounded(json.loads(json.dumps(once.tolist()))), once)
    assert once == pytest.approx(values, rel=1e-4, abs=1e-90)


def test_what_is_known_of_predictions_is_how_far_they_were_off() -> None:
    result = CalibrationReference.of([0.8, 0.9], 1.0)
    assert (result.n, result.accuracy) == (2, 1.0)
    assert (result.mean_confidence, result.offset) == pytest.approx((0.85, 0.15))
    assert result.variance == pytest.approx((0.8 * 0.2 + 0.9 * 0.1) / 4)


def test_too_few_predictions_are_no_baseline() -> None:
    with pytest.raises(BaselineTooSmall, match="10 predictions are too few"):
        baseline(10)


def test_a_missing_baseline_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BaselineNotFound, match="scones baseline"):
        Baseline.read(tmp_path / "baseline.json")


@pytest.mark.parametrize(
    "change", [{"format": 1}, {"labels": [1]}, {"confidences": []}, {"confidences": ["a"]}, {"images": None}]
)
def test_what_is_no_baseline_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline().write(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(UnreadableBaseline, match=r"baseline\.json is not a baseline"):
        Baseline.read(path)

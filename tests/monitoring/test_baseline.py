import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from monitoring.baseline import Baseline, Known, rounded
from monitoring.capture.record import parse
from monitoring.errors import BaselineMissing, BaselineTooSmall, BaselineUnreadable
from monitoring.image_statistics import NAMES, measure
from monitoring.window import Window
from tests.monitoring.captures import NOON, line

SCENE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def baseline(n: int = 100) -> Baseline:
    found = measure(png(SCENE))
    assert found is not None
    answers = np.linspace(0.5, 1, n)
    known = Known.of(answers, 0.9)
    return Baseline.of(answers, [0, 1] * (n // 2), [found] * n, source="here", known=known, model="ab")


def test_a_baseline_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made, path = baseline(), tmp_path / "baseline.json"
    made.write(path)
    read = Baseline.read(path)
    assert (read.source, read.n, read.labels, read.known, read.model) == ("here", 100, (50, 50), made.known, "ab")
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


def test_what_is_known_of_answers_is_how_far_they_were_off() -> None:
    found = Known.of([0.8, 0.9], 1.0)
    assert (found.n, found.accuracy) == (2, 1.0)
    assert (found.mean_confidence, found.offset) == pytest.approx((0.85, 0.15))
    assert found.variance == pytest.approx((0.8 * 0.2 + 0.9 * 0.1) / 4)


def test_too_few_answers_are_no_baseline() -> None:
    with pytest.raises(BaselineTooSmall, match="10 answers are too few"):
        baseline(10)


def test_a_missing_baseline_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BaselineMissing, match="scones baseline"):
        Baseline.read(tmp_path / "baseline.json")


@pytest.mark.parametrize(
    "change", [{"format": 1}, {"labels": [1]}, {"confidences": []}, {"confidences": ["a"]}, {"images": None}]
)
def test_what_is_no_baseline_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline().write(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(BaselineUnreadable, match=r"baseline\.json is no baseline"):
        Baseline.read(path)


def test_image_statistics_tell_what_changed() -> None:
    usual = measure(png(SCENE))
    dark = measure(png(SCENE.point(lambda value: value // 3)))
    soft = measure(png(SCENE.filter(ImageFilter.GaussianBlur(2))))
    grey = measure(png(SCENE.convert("L").convert("RGB")))
    large = measure(png(SCENE.resize((400, 100), Image.Resampling.NEAREST)))
    assert usual is not None
    assert dark is not None
    assert soft is not None
    assert grey is not None
    assert large is not None
    assert dark.brightness < usual.brightness / 2
    assert dark.contrast < usual.contrast / 2
    assert dark.sharpness == pytest.approx(usual.sharpness, rel=0.05)
    assert soft.sharpness < usual.sharpness / 2
    assert (grey.colour, usual.size, large.size) == (0, 32, 200)


def test_a_blank_image_has_no_sharpness() -> None:
    found = measure(png(Image.new("RGB", (32, 32), (90, 90, 90))))
    assert found is not None
    assert found.brightness == pytest.approx(90, abs=0.01)
    assert found.contrast == pytest.approx(0, abs=1e-3)
    assert found.sharpness == 0


@pytest.mark.parametrize("data", [b"", b"text", png(SCENE)[:100]])
def test_what_is_no_image_has_no_statistics(data: bytes) -> None:
    assert measure(data) is None


def test_a_window_samples_images_and_keeps_every_answer() -> None:
    answers = [parse(line(str(n), NOON, image=png(SCENE) if n % 2 else b"broken")) for n in range(100)]
    found = Window.of(iter(answers), sample=20)
    assert (len(found), len(found.images) + found.unreadable) == (100, 20)
    assert 3 <= found.unreadable <= 17
    assert found.times[0] == NOON.timestamp()


def test_a_window_without_images_has_answers_only() -> None:
    found = Window.of([parse(line("a", image=None))])
    assert (len(found), found.images, found.unreadable) == (1, (), 0)

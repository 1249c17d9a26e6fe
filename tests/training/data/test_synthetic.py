import os
import subprocess
import sys
import textwrap
import time
from dataclasses import fields
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.data.rendering.seeded_random import SeededRandom
from training.data.rendering.weather import Severity, degrade, everyday
from training.data.staging import stage
from training.data.synthetic import KINDS, Kind, SyntheticSource, render, render_many

REPOSITORY = Path(__file__).parents[3]
KNOBS = [field.name for field in fields(Severity)]

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def images() -> Pixels:
    """Four hundred small images, bicycles and motorcycles in turn."""
    return np.stack(list(render_many([0, 1] * 200, 50_000)))


@pytest.mark.parametrize("size", [16, 32, 96, 224])
@pytest.mark.parametrize("label", [0, 1, "car"])
def test_a_image_has_the_size_that_was_asked_for(label: int | Kind, size: int) -> None:
    pixels = render(label, 7, size)
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.std() > 5, "something is on it"


def test_the_same_seed_gives_the_same_image_in_every_process() -> None:
    code = """
        import hashlib
        from training.data.synthetic import Severity, render
        digest = hashlib.sha256()
        for seed in range(12):
            for label in (0, 1, "car"):
                digest.update(render(label, seed).tobytes())
                digest.update(render(label, seed, 48, Severity(*[0.5] * 7)).tobytes())
        print(digest.hexdigest())
    """
    responses = set()
    for salt in ("1", "2"):
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": salt}
        command = [sys.executable, "-c", textwrap.dedent(code)]
        responses.add(subprocess.run(command, env=environment, capture_output=True, check=True, timeout=600).stdout)
    assert len(responses) == 1


def test_different_seeds_and_labels_give_different_images(images: Pixels) -> None:
    assert len({image.tobytes() for image in images}) == len(images)
    assert not np.array_equal(render(0, 1), render(1, 1))


def test_workers_change_nothing_but_the_time() -> None:
    labels: list[int | Kind] = [0, 1, "car"] * 25
    alone, together = (list(render_many(labels, 900, workers=workers)) for workers in (1, 2))
    np.testing.assert_array_equal(np.stack(alone), np.stack(together))
    np.testing.assert_array_equal(alone[2], render("car", 902))


def accuracy(features: NDArray[np.float64], labels: NDArray[np.int64], penalty: float) -> float:
    """Return how often a linear classifier fitted to two thirds is right on the others."""
    cut = len(features) * 2 // 3
    centred = (features - features[:cut].mean(axis=0)) / (features[:cut].std(axis=0) + 1e-6)
    train, rest = centred[:cut], centred[cut:]
    weights = np.linalg.solve(train.T @ train + penalty * np.eye(train.shape[1]), train.T @ (2 * labels[:cut] - 1))
    return float(((rest @ weights > 0) == labels[cut:]).mean())


def test_no_colour_gives_the_class_away(images: Pixels) -> None:
    labels = np.arange(len(images)) % 2
    cells = (images.reshape(len(images), -1, 3) // 64).astype(np.int64) @ np.array([16, 4, 1])
    histograms = np.stack([np.bincount(row, minlength=64) for row in cells]).astype(np.float64)
    means = images.reshape(len(images), -1, 3).mean(axis=1)
    assert accuracy(histograms, labels, 300) < 0.68
    assert accuracy(means, labels, 30) < 0.65


def test_no_pixel_gives_the_class_away(images: Pixels) -> None:
    labels = np.arange(len(images)) % 2
    grey = images.astype(np.float64).mean(axis=3)
    coarse = grey.reshape(len(grey), 8, 4, 8, 4).mean(axis=(2, 4)).reshape(len(grey), -1)
    assert accuracy(coarse, labels, 100) < 0.78, "mass tells something, as in photographs; shape must tell more"


def test_two_labels_of_one_seed_share_their_scene() -> None:
    corners = []
    for seed in range(40):
        one, other = (render(label, seed).astype(int) for label in (0, 1))
        corners.append(np.abs(one[:3, :3] - other[:3, :3]).max() <= 24)
    assert sum(corners) > 27


@pytest.mark.parametrize("knob", KNOBS)
def test_each_severity_spoils_a_image_the_more_the_higher_it_is(images: Pixels, knob: str) -> None:
    distances = []
    for level in (0.0, 0.25, 0.6, 1.0):
        spoilt = [degrade(image, Severity(**{knob: level}), seed) for seed, image in enumerate(images[:60])]
        distances.append(np.abs(np.stack(spoilt).astype(float) - images[:60]).mean())
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert distances[-1] > 8


def test_a_severity_comes_on_top_of_the_same_image() -> None:
    plain, dark = render(1, 5), render(1, 5, severity=Severity(darkening=0.5))
    np.testing.assert_allclose(dark, plain * 20**-0.5, atol=1)
    np.testing.assert_array_equal(plain, render(1, 5, severity=Severity()))


def test_a_severity_outside_its_range_is_refused() -> None:
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="severity rain is"):
            Severity(rain=value)


@pytest.mark.parametrize("knob", KNOBS)
@pytest.mark.parametrize("shape", [(1, 1, 3), (32, 32, 3), (200, 300, 3)])
def test_any_image_can_be_spoilt(knob: str, shape: tuple[int, int, int]) -> None:
    image = np.full(shape, 128, np.uint8)
    spoilt = degrade(image, Severity(**{knob: 1.0}), 3)
    assert spoilt.shape == shape
    assert spoilt.dtype == np.uint8
    np.testing.assert_array_equal(spoilt, degrade(image, Severity(**{knob: 1.0}), 3))
    assert (image == 128).all(), "the image given is left as it is"


def test_occlusion_covers_half_the_image_at_most() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    for level in (0.1, 0.4, 1.0):
        spoilt = [degrade(black, Severity(occlusion=level), seed) for seed in range(40)]
        covered = np.mean([image.any(axis=2).mean() for image in spoilt])
        assert covered == pytest.approx(level / 2, abs=0.06)


def test_everyday_weather_is_mostly_fair() -> None:
    days = [everyday(SeededRandom("day", number)) for number in range(500)]
    assert sum(day == Severity() for day in days) > 200
    assert all(max(getattr(day, knob) for knob in KNOBS) < 0.9 for day in days)


def test_a_synthetic_source_is_staged_like_any_other(tmp_path: Path) -> None:
    source = SyntheticSource(train=12, test=6)
    staged = stage(source, tmp_path / "out")
    assert staged.manifest.counts() == {
        "train": {"bicycle": 6, "motorcycle": 6},
        "test": {"bicycle": 3, "motorcycle": 3},
    }
    assert staged.manifest.dataset == "synthetic"
    image = Image.open(BytesIO((staged.path / "train/motorcycle_000001.png").read_bytes()))
    assert (image.size, image.mode) == ((32, 32), "RGB")
    assert not stage(source, tmp_path / "out").written
    assert stage(SyntheticSource(train=12, test=6, seed=1), tmp_path / "out").written


def test_no_image_is_in_both_splits_or_of_two_seeds() -> None:
    sources = [SyntheticSource(20, 20, seed=seed) for seed in (0, 1)]
    assert len({image.pixels.tobytes() for source in sources for image in source.images().iterator}) == 80


def test_rendering_is_fast_enough_to_train_on() -> None:
    render(0, 0)
    start = time.process_time()
    for seed in range(100):
        render(seed % 2, seed)
    assert (time.process_time() - start) / 100 < 0.012, "seconds of one core for a image"


def test_every_kind_is_drawn_from_every_side() -> None:
    for kind in KINDS:
        assert len({render(kind, seed, 16).tobytes() for seed in range(30)}) == 30


def test_scenes_without_a_vehicle_are_staged_beside_the_vehicles() -> None:
    images = list(SyntheticSource(train=2, test=1, others=4).images().iterator)
    assert [image.split for image in images] == ["train", "train", "test", *["other"] * 4, *["other_test"] * 2]
    assert SyntheticSource(others=4).images().total == 1206
    assert SyntheticSource(others=4).fingerprint() != SyntheticSource().fingerprint()


def test_a_vehicle_far_away_is_smaller_than_the_same_one_near() -> None:
    differ = [np.abs(render(0, seed, 64, far=1.0).astype(int) - render(0, seed, 64)).mean() for seed in range(10)]
    assert min(differ) > 0
    np.testing.assert_array_equal(render(1, 3, 32, far=0.0), render(1, 3, 32))

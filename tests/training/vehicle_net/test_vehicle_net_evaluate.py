import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.serving.model import Preprocessing
from training.vehicle_net import card
from training.vehicle_net.channels import SCORING_SEEDS, Images, rendered
from training.vehicle_net.errors import MalformedChannel
from training.vehicle_net.evaluate import Evaluation, Model, confusion_matrix
from training.vehicle_net.metrics import Accepted, Score
from training.vehicle_net.near_duplicates import NEAR_DUPLICATE_CORRELATION, highest_correlation
from training.vehicle_net.neither import frames, score_photographs
from training.vehicle_net.package import SHIPPED
from training.vehicle_net.robustness import DISTURBANCES, disturbed
from training.vehicle_net.speed import Speed

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def vehicles() -> Images:
    return rendered(8, SCORING_SEEDS, Preprocessing(32))


@pytest.fixture
def evaluation(vehicles: Images) -> Evaluation:
    model = Model.at(SHIPPED)
    probabilities = model.probabilities(vehicles)
    score = Score.of(probabilities, vehicles.labels)
    degraded = [(name, severity, score) for name, (_, severities) in DISTURBANCES.items() for severity in severities]
    return Evaluation(
        model=model,
        official=score,
        without_near_duplicates=score,
        rendered=score,
        near_duplicates=3,
        confusion=confusion_matrix(probabilities, vehicles.labels),
        bins=[(0.7, 0.6, 0.5), (0.9, 1.0, 0.5)],
        robustness=degraded,
        speed=Speed(2.0, 3.0, 30.0, 200, "a machine"),
        size=1_000_000,
        other_seeds=[score, score],
        small=score,
        neither=[("rendered cars", Accepted.of(probabilities)), ("photographs of neither", Accepted.of(probabilities))],
        photographs=score,
    )


def test_the_card_states_counts_intervals_speed_and_limits(evaluation: Evaluation, tmp_path: Path) -> None:
    card.write(evaluation, tmp_path / "docs" / "card.md")
    text = (tmp_path / "docs" / "card.md").read_text(encoding="utf-8")
    assert f"{evaluation.official.correct} of 8" in text
    assert "15.0 times as long" in text
    assert "2 more networks" in text
    assert "| photographs of neither |" in text
    assert "(1 - q) p + q / 2" in text
    assert "## Limits" in text
    assert all(name in text for name in DISTURBANCES)
    assert not re.search(r"\{[a-z_.]+\}", text)
    assert (tmp_path / "docs" / "card.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_the_same_evaluation_writes_the_same_card_and_diagram(evaluation: Evaluation, tmp_path: Path) -> None:
    for name in ("one.md", "two.md"):
        card.write(dataclasses.replace(evaluation), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_copy_and_a_mirrored_darker_copy_are_near_duplicates_and_another_image_is_not(vehicles: Images) -> None:
    train = vehicles.where(np.arange(8) < 4)
    darker = Images((train.pixels[:, :, ::-1] * 0.8).astype(np.uint8), train.labels)
    assert (highest_correlation(train, train) > 0.999).all()
    assert (highest_correlation(darker, train) > NEAR_DUPLICATE_CORRELATION).all()
    assert (highest_correlation(vehicles.where(np.arange(8) >= 4), train) < NEAR_DUPLICATE_CORRELATION).all()


def test_every_disturbance_comes_in_three_severities_and_the_strongest_does_most(vehicles: Images) -> None:
    change: dict[str, list[float]] = {}
    for name, _, degraded in disturbed(vehicles):
        assert degraded.pixels.shape == vehicles.pixels.shape
        change.setdefault(name, []).append(float(np.abs(degraded.pixels.astype(int) - vehicles.pixels).mean()))
    assert len(change) == 5
    assert all(0 < mild < middle < strong for mild, middle, strong in change.values())


def test_confusion_counts_labels_by_predicted_label() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], np.float32)
    assert confusion_matrix(probabilities, np.array([0, 0, 1])).tolist() == [[1, 1], [0, 1]]


def test_frames_without_content_are_each_of_one_kind_and_the_same_again() -> None:
    first, again = frames(8), frames(8)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert (first.pixels[0] == first.pixels[0, 0, 0]).all()
    assert first.pixels[3].std() > 1


def test_photographs_are_scored_by_label_and_what_is_neither_by_kind(tmp_path: Path, vehicles: Images) -> None:
    names = ("bicycle/a-1", "motorcycle/b-1", "neither/car-001", "neither/car-002", "neither/dog-1")
    for position, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(vehicles.pixels[position]).save(tmp_path / f"{name}.png")
    score, rows = score_photographs(
        tmp_path, ("bicycle", "motorcycle"), Preprocessing(32), lambda pixels: np.tile([0.99, 0.01], (len(pixels), 1))
    )
    assert (score.images, score.correct) == (2, 1)
    assert [(name, result.images) for name, result in rows] == [
        ("photographs of neither", 3), ("of these: car", 2), ("of these: dog", 1),
    ]  # fmt: skip


def test_a_folder_without_photographs_is_named(tmp_path: Path) -> None:
    (tmp_path / "bicycle").mkdir()
    with pytest.raises(MalformedChannel, match="holds no images"):
        score_photographs(tmp_path, ("bicycle", "motorcycle"), Preprocessing(32), lambda pixels: pixels.astype(float))

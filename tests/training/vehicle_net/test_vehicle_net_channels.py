from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.serving.model import Preprocessing
from training.vehicle_net.channels import (
    NEITHER,
    SCORING_SEEDS,
    TRAINING_SEEDS,
    Images,
    Material,
    read_as_stored,
    read_channel,
    rendered,
    rendered_scenes,
    rendered_vehicles,
)
from training.vehicle_net.errors import MalformedChannel
from training.vehicle_net.hyperparameters import Hyperparameters

SPEC = Preprocessing(32)


def test_a_channel_is_read_in_the_order_of_its_listing(channel: Path) -> None:
    images = read_channel(channel, channel.with_suffix(".lst"), SPEC)
    assert images.pixels.shape == (24, 32, 32, 3)
    assert images.labels.tolist() == [0, 1] * 12
    assert images.pixels[0].mean() > 120 > images.pixels[1].mean()


def test_a_listing_may_be_a_channel_directory_that_holds_one_file(channel: Path, tmp_path: Path) -> None:
    (tmp_path / "lst").mkdir()
    channel.with_suffix(".lst").rename(tmp_path / "lst" / "train.lst")
    assert len(read_channel(channel, tmp_path / "lst", SPEC)) == 24


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("24 0 0.png", "1 fields between tabs instead of 3"),
        ("24\t2\t0.png", "label 2 of 0.png"),
        ("0\t0\t0.png", "appears twice"),
        ("24\t0\t../0.png", "not a file below"),
        ("24\t0\t/etc/hosts", "not a file below"),
        ("24\t0\tabsent.png", "absent.png"),
    ],
)
def test_a_listing_that_is_not_of_the_layout_is_refused(channel: Path, line: str, problem: str) -> None:
    listing = channel.with_suffix(".lst")
    listing.write_text(f"{listing.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    with pytest.raises(MalformedChannel, match=problem):
        read_channel(channel, listing, SPEC)


def emptied(listing: Path) -> None:
    listing.write_text("", encoding="utf-8")


def removed(listing: Path) -> None:
    listing.unlink()


@pytest.mark.parametrize("spoil", [emptied, removed])
def test_a_channel_without_a_listing_of_images_is_refused(channel: Path, spoil: Callable[[Path], None]) -> None:
    spoil(channel.with_suffix(".lst"))
    with pytest.raises(MalformedChannel):
        read_channel(channel, channel.with_suffix(".lst"), SPEC)


def test_an_image_that_does_not_decode_is_named(channel: Path) -> None:
    (channel / "3.png").write_bytes((channel / "3.png").read_bytes()[:200])
    with pytest.raises(MalformedChannel, match=r"3\.png"):
        read_channel(channel, channel.with_suffix(".lst"), SPEC)


def test_vehicles_rendered_for_training_and_for_scoring_share_no_seed() -> None:
    assert TRAINING_SEEDS + Hyperparameters().rendered < SCORING_SEEDS
    training, scoring = rendered(2, TRAINING_SEEDS, SPEC), rendered(2, SCORING_SEEDS, SPEC)
    assert training.labels.tolist() == [0, 1]
    assert not np.array_equal(training.pixels, scoring.pixels)


def test_images_of_other_classes_are_neither_whatever_their_listing_says(other: Path) -> None:
    images = read_channel(other, other.with_suffix(".lst"), SPEC, labelled=False)
    assert images.labels.tolist() == [NEITHER] * 12


@pytest.mark.parametrize(("size", "side"), [(48, 32), (24, 24)])
def test_images_are_kept_for_training_as_they_are_stored_and_no_larger_than_it_takes_them(
    channel: Path, size: int, side: int
) -> None:
    images = read_as_stored(channel, channel.with_suffix(".lst"), Hyperparameters(size=size))
    assert images.pixels.shape[1:] == (side, side, 3)


def test_rendered_images_are_left_out_where_the_recipe_wants_none_or_is_about_something_else() -> None:
    for hyperparameters in (
        Hyperparameters(rendered=0),
        Hyperparameters(labels="apple,pear"),
        Hyperparameters(vehicles=0, scenes=0),
    ):
        assert rendered_vehicles(hyperparameters) is None
        assert rendered_scenes(hyperparameters) is None
    vehicles, scenes = (render(Hyperparameters(size=32, rendered=4)) for render in (rendered_vehicles, rendered_scenes))
    assert vehicles is not None
    assert scenes is not None
    assert vehicles.labels.tolist() == [0, 1, 0, 1]
    assert scenes.labels.tolist() == [NEITHER] * 4


def test_material_differs_where_any_of_its_images_does(channel: Path) -> None:
    images = read_channel(channel, channel.with_suffix(".lst"), SPEC)
    others = Images(images.pixels, np.full(24, NEITHER))
    half = np.arange(24) < 12
    made = [Material(images), Material(images, others), Material(images, None, others), Material(others)]
    made.append(made[1].where(half, ~half))
    assert len({material.digest() for material in made}) == 5
    assert [material.knows_neither for material in made] == [False, True, False, False, True]

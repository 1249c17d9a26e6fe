from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.serving.preprocessing import Preprocessing
from training.vehicle_net.data import SCORING_SEEDS, TRAINING_SEEDS, read_channel, rendered
from training.vehicle_net.errors import MalformedChannel
from training.vehicle_net.recipe import Recipe

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
        ("24 0 0.png", "1 fields instead of 3"),
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
    assert TRAINING_SEEDS + Recipe().rendered < SCORING_SEEDS
    training, scoring = rendered(2, TRAINING_SEEDS, SPEC), rendered(2, SCORING_SEEDS, SPEC)
    assert training.labels.tolist() == [0, 1]
    assert not np.array_equal(training.pixels, scoring.pixels)

import io

import numpy as np
import pytest
import torch
from PIL import Image

from training.data.synthetic import render_many
from training.vehicle_net.degradation import blur, degrade, jpeg, resize

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    pixels = np.stack(list(render_many([0, 1, 0, 1], 60_000_000, 40)))
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("quality", [10, 30, 75, 95])
def test_jpeg_is_nearly_that_of_pillow(images: torch.Tensor, quality: int) -> None:
    restored = jpeg(images, torch.full((4,), float(quality)))
    for mine, image in zip(restored, images, strict=True):
        buffer = io.BytesIO()
        original = image.permute(1, 2, 0).numpy().astype(np.uint8)
        Image.fromarray(original).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
        theirs = np.asarray(Image.open(buffer)).astype(float)
        lost = np.abs(theirs - original).mean()
        assert np.abs(mine.permute(1, 2, 0).numpy() - theirs).mean() < max(2.0, 0.5 * lost)


def test_a_radius_of_nothing_blurs_nothing_and_a_larger_one_more(images: torch.Tensor) -> None:
    sharp, mild, strong = ((blur(images, torch.full((4,), radius)) - images).abs().mean() for radius in (0.0, 0.5, 1.5))
    assert sharp < 1e-3 < mild < strong


def test_the_same_generator_spoils_the_same_way_and_no_chance_spoils_nothing(images: torch.Tensor) -> None:
    first, again, other = (degrade(images, 1.0, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(degrade(images, 0.0, torch.Generator()), images)
    assert first.min() >= 0
    assert first.max() <= 255


def test_images_are_brought_to_size_as_pillow_does_it(images: torch.Tensor) -> None:
    for side in (24, 64):
        original = images[0].permute(1, 2, 0).numpy().astype(np.uint8)
        theirs = np.asarray(Image.fromarray(original).resize((side, side), Image.Resampling.BICUBIC)).astype(float)
        assert np.abs(resize(images, side)[0].permute(1, 2, 0).numpy() - theirs).max() <= 2
    assert resize(images, 40) is images

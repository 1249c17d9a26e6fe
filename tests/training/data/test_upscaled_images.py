from pathlib import Path

import numpy as np
from PIL import Image

from training.data.cifar_archive import CifarSource
from training.data.staging import stage
from training.data.upscaled_images import UpscaledSource

SIDE = 224


def test_images_are_larger_and_otherwise_the_same(archive: Path) -> None:
    source = CifarSource(archive)
    plain, larger = source.images(), UpscaledSource(source, SIDE).images()
    assert larger.total == plain.total
    for before, after in zip(plain.iterator, larger.iterator, strict=True):
        assert after[:-1] == before[:-1], "split, row, name and label"
        assert after.pixels.shape == (SIDE, SIDE, 3)
        again = np.asarray(Image.fromarray(after.pixels).resize((32, 32), Image.Resampling.BOX), np.float64)
        assert np.abs(again - before.pixels).mean() < np.abs(before.pixels.mean() - before.pixels).mean() / 2


def test_they_are_staged_beside_the_others_under_a_name_of_their_own(archive: Path, tmp_path: Path) -> None:
    source = CifarSource(archive)
    larger = UpscaledSource(source, SIDE)
    assert (larger.dataset, larger.classes) == ("cifar100-224", source.classes)
    staged = stage(larger, tmp_path / "larger")
    assert staged.manifest.dataset == "cifar100-224"
    assert not stage(larger, tmp_path / "larger").written
    assert stage(UpscaledSource(source, 96), tmp_path / "larger").written, "another side is another data set"


def test_a_large_image_is_compressed_and_a_thumbnail_fits_a_block(archive: Path, tmp_path: Path) -> None:
    source = CifarSource(archive)
    sizes = {
        side: [file.size for name, file in stage(each, tmp_path / side).manifest.files.items() if name.endswith("png")]
        for side, each in (("plain", source), ("larger", UpscaledSource(source, SIDE)))
    }
    assert max(sizes["plain"]) <= 4096
    assert max(sizes["larger"]) < SIDE * SIDE * 3

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.training.data.cifar_archives import (
    FOLDER,
    ROWS,
    Members,
    members,
    pixels_of,
    split,
)
from training.data.cifar_archive import read_classes
from training.data.other_rows import OtherRows

MakeArchive = Callable[[Members], Path]


def test_a_sample_of_other_classes_comes_after_the_vehicles_evenly_and_without_blank_rows(
    make_archive: MakeArchive,
) -> None:
    contents, train = members(), split(ROWS, 1)
    train[b"data"][1] = 7
    contents[f"{FOLDER}/train"] = pickle.dumps(train, 2)
    images = read_classes(make_archive(contents), others=6)
    others = [image for image in images if image.split in {"other", "other_test"}]
    assert [(image.split, image.row) for image in others] == [
        *(("other", row) for row in (3, 5, 7, 9, 11, 13)), *(("other_test", row) for row in (1, 3, 5)),
    ]  # fmt: skip
    assert {image.label for image in others} == {2}
    np.testing.assert_array_equal(others[0].pixels, pixels_of(ROWS, 1, 3))
    assert len(images) == 30 + len(others)


def test_a_class_with_many_rows_gives_way_to_one_with_few() -> None:
    rows = OtherRows(excluded=(9,), limit=4)
    block = np.random.default_rng(0).integers(0, 256, (8, 3072), dtype=np.uint8)
    rows.add(block, [1, 1, 1, 1, 9, 2, 2, 3], 0)
    assert [row for row, _ in rows.rows()] == [0, 5, 6, 7]


def test_where_labels_follow_the_pixels_the_same_others_are_found(make_archive: MakeArchive) -> None:
    contents = members()
    turned = contents | {f"{FOLDER}/train": pickle.dumps(dict(reversed(split(ROWS, 1).items())), 2)}
    plain, later = (read_classes(make_archive(each), others=5) for each in (contents, turned))
    assert [(image.split, image.row) for image in plain] == [(image.split, image.row) for image in later]

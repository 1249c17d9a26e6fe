"""RecordIO files as MXNet's im2rec writes them."""

import struct
from pathlib import Path

import pytest

from core.lst_files import read_lst
from emulation.sagemaker.errors import TrainingFailed
from emulation.sagemaker.training import record_io
from tests.emulation.sagemaker.record_files import MAGIC, image_record, recorded


def channel(folder: Path, *records: bytes) -> tuple[Path, Path]:
    (folder / "train").mkdir()
    (folder / "train" / "train.rec").write_bytes(recorded(records))
    return folder / "train", folder / "train_lst" / "train.lst"


def test_every_image_is_a_file_with_its_label_in_the_list(tmp_path: Path) -> None:
    images, listing = channel(tmp_path, image_record(1, 0, b"first"), image_record(0, 7, b"second!"))
    record_io.unpack(images, listing)
    entries = read_lst(listing)
    assert [entry.label for entry in entries] == [1, 0]
    assert [(images / entry.file).read_bytes() for entry in entries] == [b"first", b"second!"]


def test_an_image_that_holds_the_magic_number_is_whole_again(tmp_path: Path) -> None:
    image = b"ab" + MAGIC + b"cd" + MAGIC * 2
    images, listing = channel(tmp_path, image_record(1, 0, image))
    record_io.unpack(images, listing)
    assert (images / read_lst(listing)[0].file).read_bytes() == image


def test_a_label_in_a_list_of_one_is_read(tmp_path: Path) -> None:
    record = struct.pack("<IfQQf", 1, 0.0, 0, 0, 1.0) + b"image"
    images, listing = channel(tmp_path, record)
    record_io.unpack(images, listing)
    assert read_lst(listing)[0].label == 1
    assert (images / read_lst(listing)[0].file).read_bytes() == b"image"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no RecordIO at all", "magic number"),
        (recorded([image_record(0, 0, b"image")])[:-4], "ends within"),
        (recorded([b"short"]), "too short"),
        (recorded([struct.pack("<IfQQff", 2, 0.0, 0, 0, 1.0, 0.0)]), "2 labels"),
        (recorded([image_record(0.5, 0, b"image")]), "not a whole number"),
        (recorded([image_record(float("nan"), 0, b"image")]), "not a whole number"),
    ],
)
def test_a_damaged_file_fails_the_job_and_names_the_record(tmp_path: Path, content: bytes, reason: str) -> None:
    images, listing = channel(tmp_path)
    (images / "train.rec").write_bytes(content)
    with pytest.raises(TrainingFailed, match=rf"train: train.rec, record 0: .*{reason}"):
        record_io.unpack(images, listing)


def test_a_channel_has_one_file(tmp_path: Path) -> None:
    images, listing = channel(tmp_path)
    (images / "more.rec").write_bytes(b"")
    with pytest.raises(TrainingFailed, match=r"2 \.rec files"):
        record_io.unpack(images, listing)

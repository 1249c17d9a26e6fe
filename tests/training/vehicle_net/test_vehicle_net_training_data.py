from pathlib import Path

from PIL import Image

from training.vehicle_net import training_data
from training.vehicle_net.environment import read_configuration

TINY = ("--backbone", "tiny", "--pretrained", "false", "--size", "48", "--training-size", "48", "--rendered", "0")


def test_reviewed_images_are_learnt_from_as_those_of_the_train_channel_whatever_their_size(
    channel: Path, tmp_path: Path
) -> None:
    reviewed = tmp_path / "reviewed"
    reviewed.mkdir()
    Image.new("RGB", (300, 200), "white").save(reviewed / "photograph.jpg")
    listing = tmp_path / "reviewed.lst"
    listing.write_text("0\t1\tphotograph.jpg\n")
    train = ["--train", str(channel), "--train-lst", str(channel.with_suffix(".lst")), *TINY]
    alone, _ = training_data.read(read_configuration(train, {}))
    both, asked = training_data.read(
        read_configuration([*train, "--reviewed", str(reviewed), "--reviewed-lst", str(listing)], {})
    )
    assert both.real.labels.tolist() == asked.real.labels.tolist() == [*alone.real.labels.tolist(), 1]
    assert (alone.real.pixels.shape[1], both.real.pixels.shape[1]) == (32, 48)
    assert both.real.pixels[-1].min() == 255

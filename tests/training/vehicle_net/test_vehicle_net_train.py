import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from training.serving.model import Preprocessing
from training.vehicle_net import train
from training.vehicle_net.channels import NEITHER, Images, Material, read_channel
from training.vehicle_net.environment import read_configuration
from training.vehicle_net.errors import UnreadableCheckpoint
from training.vehicle_net.head import Rows
from training.vehicle_net.hyperparameters import Hyperparameters
from training.vehicle_net.inference import predict, session_of
from training.vehicle_net.learn import Run, fit, fit_members, logits_of, new_network
from training.vehicle_net.network import VehicleNet

pytestmark = pytest.mark.torch

HYPERPARAMETERS = Hyperparameters(
    backbone="tiny",
    pretrained=False,
    size=32,
    training_size=0,
    through=0,
    epochs=3,
    batch=8,
    rendered=8,
    vehicles=2,
    scenes=2,
    others=2,
    calibration_folds=0,
)


class Killed(Exception):
    """Stands in for SIGKILL between two epochs."""


@pytest.fixture
def images(channel: Path) -> Images:
    return read_channel(channel, channel.with_suffix(".lst"), Preprocessing(32))


def begun(images: Images, *, seed: int = 5) -> Run:
    return Run(HYPERPARAMETERS, begun_material(images), seed=seed)


def begun_material(images: Images) -> Material:
    some = images.where(np.arange(len(images)) < 8)
    nothing = Images(255 - some.pixels, np.full(8, NEITHER))
    return Material(images, nothing, some, nothing)


def killed_after(images: Images, epoch: int, checkpoints: Path) -> None:
    def kill(done: int, network: VehicleNet, loss: float) -> None:
        if done == epoch:
            raise Killed

    with pytest.raises(Killed):
        fit(begun(images), checkpoints=checkpoints, report=kill)


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_run_that_was_killed_and_started_again_ends_at_the_same_weights(
    images: Images, tmp_path: Path, epoch: int
) -> None:
    uninterrupted = fit(begun(images)).state_dict()
    killed_after(images, epoch, tmp_path / "kept")
    torch.manual_seed(99)
    resumed = fit(begun(images), checkpoints=tmp_path / "kept").state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in uninterrupted.items())


def test_a_resumed_run_does_not_repeat_epochs_that_were_done(images: Images, tmp_path: Path) -> None:
    killed_after(images, 1, tmp_path / "kept")
    epochs: list[int] = []
    fit(begun(images), checkpoints=tmp_path / "kept", report=lambda *told: epochs.append(told[0]))
    assert epochs == [2]


def test_another_seed_does_not_continue_this_runs_checkpoint(images: Images, tmp_path: Path) -> None:
    killed_after(images, 1, tmp_path / "kept")
    epochs: list[int] = []
    fit(begun(images, seed=6), checkpoints=tmp_path / "kept", report=lambda *told: epochs.append(told[0]))
    assert epochs == [0, 1, 2]


def test_a_checkpoint_cut_short_is_refused_by_name(images: Images, tmp_path: Path) -> None:
    killed_after(images, 1, tmp_path / "kept")
    (checkpoint,) = (tmp_path / "kept").iterdir()
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    with pytest.raises(UnreadableCheckpoint, match=re.escape(str(checkpoint))):
        fit(begun(images), checkpoints=tmp_path / "kept")


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(images: Images) -> None:
    first, again, other = (fit(begun(images, seed=seed)).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["classifier.weight"], other["classifier.weight"])


@pytest.fixture
def imagenet_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks start from weights of the seed 0, in the place of a package's."""

    def pretrained(backbone: str, rows: Rows, *, of_vehicles: bool) -> VehicleNet:
        torch.manual_seed(0)
        return VehicleNet(backbone, rows).eval()

    monkeypatch.setattr("training.vehicle_net.learn.pretrained", pretrained)


def with_members(members: int, kept: float = 0.0) -> Hyperparameters:
    return replace(HYPERPARAMETERS, pretrained=True, members=members, kept=kept)


@pytest.mark.usefixtures("imagenet_weights")
def test_the_weights_of_members_with_seeds_of_their_own_are_averaged(images: Images) -> None:
    material, hyperparameters = Material(images), with_members(3, kept=0.25)
    alone = [fit(Run(hyperparameters, material, seed=seed)).state_dict() for seed in (5, 105, 205)]
    initial = new_network(hyperparameters, "cpu", neither=False).state_dict()
    together = fit_members(hyperparameters, material, seed=5).state_dict()
    assert not torch.equal(alone[0]["classifier.weight"], alone[1]["classifier.weight"])
    for name, value in together.items():
        mean = sum(each[name] for each in alone) / 3
        torch.testing.assert_close(value, 0.75 * mean + 0.25 * initial[name])


@pytest.mark.usefixtures("imagenet_weights")
def test_epochs_are_counted_over_all_members_and_finished_members_are_not_trained_again(
    images: Images, tmp_path: Path
) -> None:
    epochs: list[int] = []

    def kill(epoch: int, network: VehicleNet, loss: float) -> None:
        epochs.append(epoch)
        if epoch == 4:
            raise Killed

    arguments: dict[str, Any] = {"seed": 5, "checkpoints": tmp_path / "kept"}
    with pytest.raises(Killed):
        fit_members(with_members(2), Material(images), report=kill, **arguments)
    fit_members(with_members(2), Material(images), report=lambda *told: epochs.append(told[0]), **arguments)
    assert epochs == [0, 1, 2, 3, 4, 5]
    assert with_members(2).total_epochs == 6


def test_a_network_from_scratch_has_one_member(images: Images) -> None:
    alone = fit(begun(images)).state_dict()
    hyperparameters = replace(HYPERPARAMETERS, members=3, kept=0.25)
    together = fit_members(hyperparameters, begun_material(images), seed=5).state_dict()
    assert all(torch.equal(value, together[name]) for name, value in alone.items())


def test_bright_and_dark_images_are_classified_after_a_few_epochs(images: Images) -> None:
    hyperparameters = Hyperparameters.of(
        {**HYPERPARAMETERS.to_dict(), "epochs": 20, "colour": 0, "mix": 0, "blank": 0, "learning_rate": 0.003}
    )
    network = fit(Run(hyperparameters, Material(images), seed=0))
    logits = logits_of(network, images, mirror=False)
    assert logits.shape == (len(images), 2)
    assert (logits.argmax(axis=1) == images.labels).mean() >= 0.9


def test_what_is_neither_bright_nor_dark_is_classified_as_neither(images: Images) -> None:
    settings = {"epochs": 60, "colour": 0, "mix": 0, "blank": 0, "spoil": 0, "learning_rate": 0.003, "others": 8}
    hyperparameters = Hyperparameters.of({**HYPERPARAMETERS.to_dict(), **settings})
    stripes = np.zeros((16, 32, 32, 3), np.uint8)
    stripes[:, :, ::2] = 255
    others = Images(stripes, np.full(16, NEITHER))
    network = fit(Run(hyperparameters, Material(images, others), seed=0))
    assert (logits_of(network, others, mirror=False).argmax(axis=1) == NEITHER).all()
    assert (logits_of(network, images, mirror=False).argmax(axis=1) == images.labels).mean() >= 0.9


def test_script_mode_trains_from_its_environment_alone(script_mode: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.vehicle_net.train", "--checkpoint-dir", str(tmp_path / "kept")]
    done = subprocess.run(
        command,
        env=os.environ | script_mode,
        cwd=Path(train.__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^Epoch\[(\d+)\] Validation-accuracy=([0-9.]+)$", done.stdout, re.MULTILINE)
    assert [int(epoch) for epoch, _ in lines] == [0, 1]
    assert all(0 <= float(accuracy) <= 1 for _, accuracy in lines)
    description = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))
    assert description["metrics"]["cross_validation"]["images"] == 16  # two of three folds
    assert description["metrics"]["validation"]["images"] == 24
    assert description["provenance"]["recipe"]["epochs"] == 2
    header, *rows = (tmp_path / "model" / "out_of_fold.csv").read_text(encoding="utf-8").splitlines()
    assert header == "file,label,bicycle,motorcycle"
    assert len({row.split(",")[0] for row in rows}) == 16
    assert (tmp_path / "model" / "model.onnx").is_file()


def test_the_validation_channel_changes_nothing_but_what_is_reported(
    script_mode: dict[str, str], tmp_path: Path
) -> None:
    with_validation = train.train(read_configuration(["--checkpoint-dir", str(tmp_path / "one")], script_mode))
    alone = {name: value for name, value in script_mode.items() if "VALIDATION" not in name}
    options = ["--checkpoint-dir", str(tmp_path / "two"), "--model-dir", str(tmp_path / "other")]
    without = train.train(read_configuration(options, alone))
    assert (with_validation / "model.onnx").read_bytes() == (without / "model.onnx").read_bytes()


def test_the_other_channel_teaches_a_third_output_that_keeps_two_probabilities(
    script_mode: dict[str, str], other: Path, tmp_path: Path
) -> None:
    channels = {"SM_CHANNEL_OTHER": str(other), "SM_CHANNEL_OTHER_LST": str(other.with_suffix(".lst"))}
    model = train.train(read_configuration(["--checkpoint-dir", str(tmp_path / "kept")], script_mode | channels))
    description = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert description["calibration"].keys() == {"method", "temperature", "shift", "slope", "offset"}
    assert description["metrics"]["cross_validation_neither"]["images"] == 8  # two of three folds
    assert description["provenance"]["images"]["other_count"] == 12
    predicted = predict(session_of(model / "model.onnx"), np.zeros((3, 48, 48, 3), np.uint8))
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-6)


def test_other_classes_are_named_in_the_model_and_not_mixed_with_rendered_vehicles(
    script_mode: dict[str, str], tmp_path: Path
) -> None:
    hyperparameters = json.loads(script_mode["SM_HPS"]) | {"labels": "apple,orange", "rendered": "8"}
    options = ["--checkpoint-dir", str(tmp_path / "kept")]
    model = train.train(read_configuration(options, script_mode | {"SM_HPS": json.dumps(hyperparameters)}))
    description = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert description["labels"] == ["apple", "orange"]
    assert description["provenance"]["images"]["rendered_count"] == 0
    assert "rendered" not in description["metrics"]
    assert (model / "out_of_fold.csv").read_text(encoding="utf-8").startswith("file,label,apple,orange\n")


def test_what_is_refused_is_said_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert train.main(["--train", str(tmp_path), "--train-lst", str(tmp_path / "no.lst")]) == 1
    hyperparameters = capsys.readouterr().err
    assert hyperparameters.startswith("train: ")
    assert "no.lst" in hyperparameters
    assert hyperparameters.count("\n") == 1

"""Training jobs by our own calls, against the real emulator as a process."""

import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from emulation.session import OfflineSession
from tests.emulation.sagemaker.fake_s3 import fake_s3
from tests.emulation.sagemaker.harness import ROLE, Emulator
from tests.emulation.sagemaker.jobs import stage
from training import jobs, recipes, source_archive
from training.errors import DatasetMissing, InvalidHyperparameter, JobFailed, JobMissing, UnknownRecipe

QUICK = jobs.Patience(seconds=240, poll=0.2)
TINY = {"backbone": "tiny", "pretrained": "0", "size": "32", "training_size": "32", "rendered": "0",
        "rendered_each_epoch": "0", "calibration_folds": "0", "batch": "2"}  # fmt: skip


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("jobs") / "state", s3).start()
        stage(s3, "vehicles")
        for name in [name for name in s3.objects if "/validation" in name]:  # as `scones stage` calls it
            s3.objects[name.replace("/validation", "/test")] = s3.objects.pop(name)
        yield running
        running.stop()


@pytest.fixture(scope="module")
def session(emulator: Emulator) -> OfflineSession:
    return OfflineSession(emulator.s3.url, emulator.url)


def order(name: str, recipe: str, **given: str) -> jobs.Order:
    wanted = recipes.named(recipe)
    values = recipes.hyperparameters(wanted, 4, 2, given)
    return jobs.Order(name, wanted, values, "vehicles", wanted.instance_type)


AROUND = jobs.Surroundings(role_arn=ROLE, bucket="data", tags={"scones:stack": "test"})


def test_the_published_recipe_is_told_what_was_published() -> None:
    told = recipes.hyperparameters(recipes.named("builtin"), 1000)
    assert told == {"image_shape": "3,32,32", "num_classes": "2", "epochs": "30", "num_training_samples": "1000"}


@pytest.mark.parametrize("recipe", list(recipes.RECIPES))
def test_a_hyperparameter_that_the_program_does_not_know_is_named(recipe: str) -> None:
    with pytest.raises(InvalidHyperparameter, match="nonsense"):
        recipes.hyperparameters(recipes.named(recipe), 4, given={"nonsense": "1"})


def test_an_unknown_recipe_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownRecipe, match="builtin-transfer"):
        recipes.named("alexnet")


def test_the_source_archive_is_the_same_twice_and_pins_what_the_project_pins() -> None:
    assert source_archive.pack() == source_archive.pack()
    with tarfile.open(fileobj=BytesIO(source_archive.pack())) as archive:
        names = archive.getnames()
    assert {"entry_point.py", "requirements.txt", "training/vehicle_net/train.py", "training/__init__.py"} <= {*names}
    root = Path(__file__).parents[2] / "requirements"
    pinned = (root / "scones.txt").read_text() + (root / "train.txt").read_text()
    assert all(line in pinned for line in source_archive.REQUIREMENTS.read_text().split())


def test_training_images_are_counted_and_a_data_set_that_is_not_staged_is_named(session: OfflineSession) -> None:
    assert jobs.samples(session.client("s3"), "data", "vehicles") == 4
    with pytest.raises(DatasetMissing, match="s3://data/nothing/"):
        jobs.samples(session.client("s3"), "data", "nothing")


def test_a_job_of_the_builtin_algorithm_asks_for_what_was_ordered(session: OfflineSession, emulator: Emulator) -> None:
    jobs.submit(session, order("small-1", "builtin-small", mini_batch_size="2"), AROUND)
    made: Any = emulator.client("sagemaker").describe_training_job(TrainingJobName="small-1")
    assert made["HyperParameters"]["num_layers"] == "20"
    assert made["EnableNetworkIsolation"] is True
    assert made["AlgorithmSpecification"]["TrainingImage"].endswith("/image-classification:1")
    assert [channel["ChannelName"] for channel in made["InputDataConfig"]] == [
        "train", "validation", "train_lst", "validation_lst",
    ]  # fmt: skip
    assert {channel["ContentType"] for channel in made["InputDataConfig"]} == {"application/x-image"}


def test_images_too_small_for_transfer_fail_the_job_with_the_reason(session: OfflineSession) -> None:
    jobs.submit(session, order("transfer-1", "builtin-transfer", mini_batch_size="2"), AROUND)
    with pytest.raises(JobFailed) as caught:
        jobs.follow(session, "transfer-1", lambda _: None, QUICK)
    assert caught.value.status == "Failed"


def test_a_job_that_is_not_there_is_named(session: OfflineSession) -> None:
    with pytest.raises(JobMissing, match="'nobody'"):
        jobs.status(session, "nobody")


@pytest.mark.torch
def test_our_network_trains_two_epochs_in_script_mode_and_its_log_is_followed(
    session: OfflineSession, emulator: Emulator
) -> None:
    lines: list[str] = []
    jobs.submit(session, order("ours-1", "vehicle-net", **TINY), AROUND)
    found = jobs.follow(session, "ours-1", lines.append, QUICK)
    assert found.status == "Completed", sys.executable
    assert jobs.VALIDATION_ACCURACY in found.metrics
    assert str(found.artefact).removeprefix("s3://") in emulator.s3.objects
    assert max(epoch for line in lines if (epoch := jobs.epoch_of(line))) == 2
    assert len([line for line in lines if "Epoch[1] Train-loss" in line]) == 1

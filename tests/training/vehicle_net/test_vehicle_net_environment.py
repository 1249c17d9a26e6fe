from pathlib import Path

import pytest

from training.vehicle_net.environment import CHECKPOINTS, read_job
from training.vehicle_net.errors import InvalidHyperparameter, MissingChannel
from training.vehicle_net.recipe import Recipe

ENVIRONMENT = {
    "SM_CHANNEL_TRAIN": "/in/train",
    "SM_CHANNEL_TRAIN_LST": "/in/train_lst",
    "SM_CHANNEL_VALIDATION": "/in/validation",
    "SM_CHANNEL_VALIDATION_LST": "/in/validation_lst",
    "SM_MODEL_DIR": "/out/model",
    "SM_NUM_GPUS": "1",
    "SM_HPS": '{"epochs": "3", "learning-rate": 0.001, "pretrained": "false", "sagemaker_region": "eu-west-1"}',
}


def test_channels_model_directory_and_device_come_from_script_mode() -> None:
    job = read_job([], ENVIRONMENT)
    assert (job.train.images, job.train.listing) == (Path("/in/train"), Path("/in/train_lst"))
    assert job.validation is not None
    assert job.validation.listing == Path("/in/validation_lst")
    assert (job.model_dir, job.checkpoints, job.device) == (Path("/out/model"), CHECKPOINTS, "cuda")


def test_the_other_channel_is_optional_and_comes_with_its_listing() -> None:
    assert read_job([], ENVIRONMENT).other is None
    named = {"SM_CHANNEL_OTHER": "/in/other", "SM_CHANNEL_OTHER_LST": "/in/other_lst"}
    other = read_job([], ENVIRONMENT | named).other
    assert other is not None
    assert (other.images, other.listing) == (Path("/in/other"), Path("/in/other_lst"))
    with pytest.raises(MissingChannel, match="SM_CHANNEL_OTHER_LST"):
        read_job([], ENVIRONMENT | {"SM_CHANNEL_OTHER": "/in/other"})


def test_reviewed_images_are_a_channel_with_its_listing() -> None:
    named = {"SM_CHANNEL_REVIEWED": "/in/reviewed", "SM_CHANNEL_REVIEWED_LST": "/in/reviewed_lst"}
    reviewed = read_job([], ENVIRONMENT | named).reviewed
    assert reviewed is not None
    assert (reviewed.images, reviewed.listing) == (Path("/in/reviewed"), Path("/in/reviewed_lst"))
    assert read_job([], ENVIRONMENT).reviewed is None


def test_hyperparameters_are_read_from_strings_and_numbers_alike() -> None:
    recipe = read_job([], ENVIRONMENT).recipe
    assert (recipe.epochs, recipe.learning_rate, recipe.pretrained) == (3, 0.001, False)
    assert recipe.batch == Recipe().batch


def test_other_classes_are_named_by_a_hyperparameter() -> None:
    recipe = read_job([], ENVIRONMENT | {"SM_HPS": '{"labels": "apple,sweet_pepper"}'}).recipe
    assert (recipe.names, recipe.of_vehicles, Recipe().of_vehicles) == (("apple", "sweet_pepper"), False, True)


def test_an_option_wins_over_the_environment() -> None:
    job = read_job(["--epochs", "7", "--train", "/mine", "--device", "cpu", "--model-dir", "m"], ENVIRONMENT)
    assert (job.recipe.epochs, job.train.images, job.device, job.model_dir) == (7, Path("/mine"), "cpu", Path("m"))


@pytest.mark.parametrize("option", ["--learning-rate", "--learning_rate"])
def test_an_option_is_known_with_hyphens_and_as_sagemaker_passes_it(option: str) -> None:
    assert read_job([option, "0.5"], ENVIRONMENT).recipe.learning_rate == 0.5


def test_on_a_laptop_checkpoints_lie_beside_the_model() -> None:
    job = read_job(["--train", "t", "--train-lst", "t.lst", "--model-dir", "out/model"], {})
    assert job.checkpoints == Path("out/model.checkpoints")
    assert job.validation is None
    assert job.device == "cpu"


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, "SM_CHANNEL_TRAIN"),
        ({"SM_CHANNEL_TRAIN": "/in"}, "SM_CHANNEL_TRAIN_LST"),
        (
            {"SM_CHANNEL_TRAIN": "/in", "SM_CHANNEL_TRAIN_LST": "/l", "SM_CHANNEL_VALIDATION_LST": "/v"},
            "SM_CHANNEL_VALIDATION",
        ),
    ],
)
def test_a_missing_channel_is_named(environment: dict[str, str], missing: str) -> None:
    with pytest.raises(MissingChannel, match=rf"{missing}$"):
        read_job([], environment)


@pytest.mark.parametrize(
    "told",
    [
        '{"epoch": 3}',
        '{"epochs": "many"}',
        '{"epochs": 2.5}',
        '{"pretrained": "perhaps"}',
        '{"calibration_folds": 1}',
        '{"labels": "apple"}',
        '{"labels": "apple,apple"}',
        '{"labels": "apple,orange,pear"}',
        '{"labels": "apple, orange"}',
        "[1]",
        "{",
    ],
)
def test_a_hyperparameter_that_cannot_be_meant_is_refused(told: str) -> None:
    with pytest.raises(InvalidHyperparameter):
        read_job([], {**ENVIRONMENT, "SM_HPS": told})

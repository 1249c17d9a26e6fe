from pathlib import Path

import pytest

from training.vehicle_net.environment import CHECKPOINTS, read_configuration
from training.vehicle_net.errors import InvalidHyperparameter, MissingChannel
from training.vehicle_net.hyperparameters import Hyperparameters

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
    configuration = read_configuration([], ENVIRONMENT)
    assert (configuration.train.images, configuration.train.listing) == (Path("/in/train"), Path("/in/train_lst"))
    assert configuration.validation is not None
    assert configuration.validation.listing == Path("/in/validation_lst")
    assert (configuration.model_dir, configuration.checkpoints, configuration.device) == (
        Path("/out/model"),
        CHECKPOINTS,
        "cuda",
    )


def test_the_other_channel_is_optional_and_comes_with_its_listing() -> None:
    assert read_configuration([], ENVIRONMENT).other is None
    named = {"SM_CHANNEL_OTHER": "/in/other", "SM_CHANNEL_OTHER_LST": "/in/other_lst"}
    other = read_configuration([], ENVIRONMENT | named).other
    assert other is not None
    assert (other.images, other.listing) == (Path("/in/other"), Path("/in/other_lst"))
    with pytest.raises(MissingChannel, match="SM_CHANNEL_OTHER_LST"):
        read_configuration([], ENVIRONMENT | {"SM_CHANNEL_OTHER": "/in/other"})


def test_reviewed_images_are_a_channel_with_its_listing() -> None:
    named = {"SM_CHANNEL_REVIEWED": "/in/reviewed", "SM_CHANNEL_REVIEWED_LST": "/in/reviewed_lst"}
    reviewed = read_configuration([], ENVIRONMENT | named).reviewed
    assert reviewed is not None
    assert (reviewed.images, reviewed.listing) == (Path("/in/reviewed"), Path("/in/reviewed_lst"))
    assert read_configuration([], ENVIRONMENT).reviewed is None


def test_hyperparameters_are_read_from_strings_and_numbers_alike() -> None:
    hyperparameters = read_configuration([], ENVIRONMENT).hyperparameters
    assert (hyperparameters.epochs, hyperparameters.learning_rate, hyperparameters.pretrained) == (3, 0.001, False)
    assert hyperparameters.batch == Hyperparameters().batch


def test_other_classes_are_named_by_a_hyperparameter() -> None:
    hyperparameters = read_configuration(
        [], ENVIRONMENT | {"SM_HPS": '{"labels": "apple,sweet_pepper"}'}
    ).hyperparameters
    assert (hyperparameters.names, hyperparameters.of_vehicles, Hyperparameters().of_vehicles) == (
        ("apple", "sweet_pepper"),
        False,
        True,
    )


def test_an_option_wins_over_the_environment() -> None:
    configuration = read_configuration(
        ["--epochs", "7", "--train", "/mine", "--device", "cpu", "--model-dir", "m"], ENVIRONMENT
    )
    assert (
        configuration.hyperparameters.epochs,
        configuration.train.images,
        configuration.device,
        configuration.model_dir,
    ) == (7, Path("/mine"), "cpu", Path("m"))


@pytest.mark.parametrize("option", ["--learning-rate", "--learning_rate"])
def test_an_option_is_known_with_hyphens_and_as_sagemaker_passes_it(option: str) -> None:
    assert read_configuration([option, "0.5"], ENVIRONMENT).hyperparameters.learning_rate == 0.5


def test_on_a_laptop_checkpoints_lie_beside_the_model() -> None:
    configuration = read_configuration(["--train", "t", "--train-lst", "t.lst", "--model-dir", "out/model"], {})
    assert configuration.checkpoints == Path("out/model.checkpoints")
    assert configuration.validation is None
    assert configuration.device == "cpu"


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
        read_configuration([], environment)


@pytest.mark.parametrize(
    "told",
    [
        '{"epoch": 3}',
        '{"epochs": "many"}',
        '{"epochs": 2.5}',
        '{"pretrained": "perhaps"}',
        '{"calibration_folds": 1}',
        '{"members": 0}',
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
        read_configuration([], {**ENVIRONMENT, "SM_HPS": told})

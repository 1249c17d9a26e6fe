"""The built-in algorithm's hyperparameters choose what trains in its place, and no other is ignored in silence."""

import pytest

from emulation.sagemaker.training import image_classification

PUBLISHED = {
    "image_shape": "3,32,32",
    "num_classes": "2",
    "num_training_samples": "1000",
    "epochs": "30",
    "learning_rate": "0.1",
    "num_layers": "20",
}


def options(**changes: str) -> dict[str, str]:
    words = image_classification.arguments({"HyperParameters": {**PUBLISHED, **changes}})
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize(
    ("changes", "backbone"),
    [
        ({}, "resnet"),
        ({"image_shape": "3,224,224"}, "tiny"),
        ({"use_pretrained_model": "1"}, "lite2"),
    ],
)
def test_a_network_for_the_images_size_is_trained(changes: dict[str, str], backbone: str) -> None:
    assert options(**changes)["--backbone"] == backbone


def test_each_hyperparameter_that_is_ignored_has_a_line() -> None:
    lines = image_classification.ignored({"HyperParameters": PUBLISHED})
    assert [line.partition(" is ignored")[0] for line in lines] == [
        "[emulator] hyperparameter learning_rate=0.1",
        "[emulator] hyperparameter num_layers=20",
    ]

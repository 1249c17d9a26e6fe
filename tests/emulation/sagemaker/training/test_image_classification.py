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


def test_the_log_begins_with_the_parameters_and_names_each_that_is_ignored() -> None:
    lines = image_classification.notes({"HyperParameters": PUBLISHED})
    assert lines[0] == "Docker entrypoint called with argument(s): train"
    assert {"epochs: 30", "image_shape: 3,32,32", "mini_batch_size: 32", "num_classes: 2"} <= set(lines)
    assert [line.partition(" is ignored")[0] for line in lines if line.startswith("[emulator]")] == [
        "[emulator] hyperparameter learning_rate=0.1",
        "[emulator] hyperparameter num_layers=20",
    ]


def test_every_hyperparameter_is_used_or_named() -> None:
    values = dict.fromkeys(image_classification.HYPERPARAMETERS, "1")
    lines = image_classification.notes({"HyperParameters": values})
    for name in values:
        assert any(line.startswith((f"{name}: ", f"[emulator] hyperparameter {name}=")) for line in lines), name

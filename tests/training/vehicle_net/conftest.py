import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WITH_TORCH = importlib.util.find_spec("torch") is not None
NEED_TORCH = ("evaluate", "export", "head", "degradation", "train")
collect_ignore = [] if WITH_TORCH else [f"test_vehicle_net_{name}.py" for name in NEED_TORCH]

TINY = (
    "--backbone",
    "tiny",
    "--pretrained",
    "false",
    "--size",
    "48",
    "--training-size",
    "32",
    "--through",
    "0",
    "--batch",
    "8",
    "--rendered",
    "0",
)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Threads cost more than they bring for networks of this size, above all on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        if WITH_TORCH:
            import torch  # noqa: PLC0415

            torch.set_num_threads(1)
        yield


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    """A train directory of 24 images, bright bicycles and dark motorcycles, with its listing next to it."""
    images = tmp_path / "train"
    images.mkdir()
    random = np.random.default_rng(0)
    lines = []
    for index in range(24):
        label = index % 2
        pixels = random.integers(0, 100, (32, 32, 3)) + 120 * (1 - label)
        Image.fromarray(pixels.astype(np.uint8)).save(images / f"{index}.png")
        lines.append(f"{index}\t{label}\t{index}.png\n")
    (tmp_path / "train.lst").write_text("".join(lines), encoding="utf-8")
    return images


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """An other directory of 12 images of noise, with its listing next to it."""
    images = tmp_path / "other"
    images.mkdir()
    random = np.random.default_rng(1)
    for index in range(12):
        Image.fromarray(random.integers(0, 256, (32, 32, 3)).astype(np.uint8)).save(images / f"{index}.png")
    listing = "".join(f"{index}\t2\t{index}.png\n" for index in range(12))
    (tmp_path / "other.lst").write_text(listing, encoding="utf-8")
    return images


@pytest.fixture
def script_mode(channel: Path, tmp_path: Path) -> dict[str, str]:
    """The environment that SageMaker gives a script, with hyperparameters for the smallest network."""
    hyperparameters = dict(zip((name.removeprefix("--") for name in TINY[::2]), TINY[1::2], strict=True))
    hyperparameters |= {"epochs": "2", "folds": "3", "calibration_folds": "2", "sagemaker_program": "train.py"}
    return {
        "SM_CHANNEL_TRAIN": str(channel),
        "SM_CHANNEL_TRAIN_LST": str(channel.with_suffix(".lst")),
        "SM_CHANNEL_VALIDATION": str(channel),
        "SM_CHANNEL_VALIDATION_LST": str(channel.with_suffix(".lst")),
        "SM_MODEL_DIR": str(tmp_path / "model"),
        "SM_HPS": json.dumps(hyperparameters),
        "SM_NUM_GPUS": "0",
    }

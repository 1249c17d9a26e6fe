"""Where a training run reads and writes: command-line options first, then the environment of SageMaker script mode."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.vehicle_net.errors import InvalidHyperparameter, MissingChannel
from training.vehicle_net.hyperparameters import Hyperparameters, add_options, chosen

CHECKPOINTS = Path("/opt/ml/checkpoints")
"""The directory that SageMaker keeps in step with S3 while a job runs."""

MODEL_DIR = Path("model")


@dataclass(frozen=True)
class Channel:
    """A directory of images and the .lst file, or a directory with one, that names them."""

    images: Path
    listing: Path


@dataclass(frozen=True)
class RunConfiguration:
    """The hyperparameters of a training run, its channels, its directories and its device."""

    hyperparameters: Hyperparameters
    train: Channel
    reviewed: Channel | None
    """Images that people have labelled in review, learnt from as those of the train channel are."""
    validation: Channel | None
    other: Channel | None
    """Images that show neither label; their labels are not read."""
    model_dir: Path
    checkpoints: Path
    device: str


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train", description="Train, calibrate and export the vehicle network.")
    for channel in ("train", "reviewed", "validation", "other"):
        parser.add_argument(f"--{channel}", type=Path, help=f"directory of images (SM_CHANNEL_{channel.upper()})")
        parser.add_argument(f"--{channel}-lst", type=Path, help=f".lst file (SM_CHANNEL_{channel.upper()}_LST)")
    parser.add_argument("--model-dir", type=Path, help=f"default {MODEL_DIR} (SM_MODEL_DIR)")
    parser.add_argument(
        "--checkpoint-dir", type=Path, help=f"default {CHECKPOINTS} in SageMaker, otherwise next to the model"
    )
    parser.add_argument("--device", help="default cuda where SM_NUM_GPUS is not 0, else cpu")
    add_options(parser)
    return parser


def _hyperparameters(environment: Mapping[str, str]) -> dict[str, object]:
    """SM_HPS without what SageMaker's own tools add to it."""
    hyperparameters = environment.get("SM_HPS") or "{}"
    try:
        values = json.loads(hyperparameters)
    except ValueError as error:
        raise InvalidHyperparameter("SM_HPS", hyperparameters, f"not JSON ({error})") from error
    if not isinstance(values, dict):
        raise InvalidHyperparameter("SM_HPS", hyperparameters, "not a JSON object")
    return {name: value for name, value in values.items() if not name.startswith("sagemaker_")}


def _directory(option: Path | None, environment: Mapping[str, str], channel: str) -> Path | None:
    folder = environment.get(f"SM_CHANNEL_{channel.upper()}")
    return option or (Path(folder) if folder else None)


def _channel(options: argparse.Namespace, environment: Mapping[str, str], name: str) -> Channel | None:
    images = _directory(getattr(options, name), environment, name)
    listing = _directory(getattr(options, f"{name}_lst"), environment, f"{name}_lst")
    if images is None and listing is None:
        return None
    if images is None or listing is None:
        raise MissingChannel(name if images is None else f"{name}_lst")
    return Channel(images, listing)


def read_configuration(arguments: list[str] | None, environment: Mapping[str, str]) -> RunConfiguration:
    """Read options and environment. Raises MissingChannel, InvalidHyperparameter."""
    options = _parser().parse_args(arguments)
    hyperparameters = chosen(options, _hyperparameters(environment))
    train = _channel(options, environment, "train")
    if train is None:
        raise MissingChannel("train")
    model_dir = options.model_dir or Path(environment.get("SM_MODEL_DIR") or MODEL_DIR)
    default_checkpoints = model_dir.with_name(f"{model_dir.name}.checkpoints")
    return RunConfiguration(
        hyperparameters=hyperparameters,
        train=train,
        reviewed=_channel(options, environment, "reviewed"),
        validation=_channel(options, environment, "validation"),
        other=_channel(options, environment, "other"),
        model_dir=model_dir,
        checkpoints=options.checkpoint_dir or (CHECKPOINTS if "SM_MODEL_DIR" in environment else default_checkpoints),
        device=options.device or ("cuda" if int(environment.get("SM_NUM_GPUS") or 0) else "cpu"),
    )

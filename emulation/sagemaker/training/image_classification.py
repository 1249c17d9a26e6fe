"""What the built-in image classification refuses, and how our trainer stands in for it.

Hyperparameters, channels and the layout of .lst files are those that AWS documents for the algorithm:
https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

from emulation.sagemaker.errors import JobFailed
from emulation.sagemaker.training.job_files import JobDirectory, Request

METRICS = (
    {"Name": "train:accuracy", "Regex": r"Epoch\S* Train-accuracy=(\S*)"},
    {"Name": "validation:accuracy", "Regex": r"Epoch\S* Validation-accuracy=(\S*)"},
)
REQUIRED = ("num_classes", "num_training_samples")
_DEPTHS = ("18", "20", "32", "34", "44", "50", "56", "101", "110", "152", "200")
_CONTENT_TYPES = ("application/x-image", "image/jpeg", "image/png")
_LISTED = ("train", "validation")

Check = Callable[[str], str | None]


def named(image: str) -> bool:
    """Whether a training image is the built-in algorithm's."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0] == "image-classification"


def _one_of(*values: str) -> Check:
    return lambda text: None if text in values else f"'{text}' is not one of {list(values)}"


def _whole(least: int) -> Check:
    def check(text: str) -> str | None:
        if re.fullmatch(r"-?[0-9]{1,12}", text) is None:
            return f"'{text}' is not of type 'integer'"
        return None if int(text) >= least else f"{text} is less than the minimum of {least}"

    return check


def _number(least: float, most: float) -> Check:
    def check(text: str) -> str | None:
        if re.fullmatch(r"[-+]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][-+]?[0-9]{1,3})?", text) is None:
            return f"'{text}' is not of type 'number'"
        return None if least <= float(text) <= most else f"{text} is not between {least:g} and {most:g}"

    return check


def _matching(pattern: str) -> Check:
    return lambda text: None if re.fullmatch(pattern, text) else f"'{text}' does not match '{pattern}'"


_POSITIVE, _SHARE, _SWITCH = _whole(1), _number(0, 1), _one_of("0", "1")
HYPERPARAMETERS: Mapping[str, Check] = {
    "augmentation_type": _one_of("crop", "crop_color", "crop_color_transform"),
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "checkpoint_frequency": _POSITIVE,
    "early_stopping": _one_of("True", "False", "true", "false"),
    "early_stopping_min_epochs": _POSITIVE,
    "early_stopping_patience": _POSITIVE,
    "early_stopping_tolerance": _SHARE,
    "epochs": _POSITIVE,
    "eps": _SHARE,
    "gamma": _SHARE,
    "image_shape": _matching(r"[1-9][0-9]{0,2},[1-9][0-9]{0,3},[1-9][0-9]{0,3}"),
    "kv_store": _one_of("dist_sync", "dist_async"),
    "learning_rate": _SHARE,
    "lr_scheduler_factor": _SHARE,
    "lr_scheduler_step": _matching(r"[0-9]{1,6}(,[0-9]{1,6})*"),
    "mini_batch_size": _POSITIVE,
    "momentum": _SHARE,
    "multi_label": _SWITCH,
    "num_classes": _whole(2),
    "num_layers": _one_of(*_DEPTHS),
    "num_training_samples": _POSITIVE,
    "optimizer": _one_of("sgd", "adam", "rmsprop", "nag"),
    "precision_dtype": _one_of("float32", "float16"),
    "resize": _POSITIVE,
    "top_k": _whole(2),
    "use_pretrained_model": _SWITCH,
    "use_weighted_loss": _SWITCH,
    "weight_decay": _SHARE,
}


def check_request(request: Request) -> None:
    """Raise JobFailed where hyperparameters or channels are not the algorithm's."""
    given: Mapping[str, str] = request.get("HyperParameters", {})
    found = [f"'{name}' is a required property" for name in REQUIRED if name not in given]
    extra = ", ".join(f"'{name}'" for name in given if name not in HYPERPARAMETERS)
    found += [f"Additional properties are not allowed ({extra} unexpected)"] if extra else []
    for name, value in given.items():
        problem = HYPERPARAMETERS[name](value) if name in HYPERPARAMETERS else None
        found += [f"{problem}\n\nOn instance['{name}']"] if problem else []
    _refuse(found, "hyperparameters")
    if int(given.get("mini_batch_size", "32")) > int(given["num_training_samples"]):
        _refuse(["mini_batch_size is larger than num_training_samples"], "hyperparameters")
    channels = {channel["ChannelName"]: channel for channel in request.get("InputDataConfig", ())}
    wanted = [*_LISTED, *(f"{name}_lst" for name in _LISTED)]
    found = [f"'{name}' is a required property" for name in wanted if name not in channels]
    extra = ", ".join(f"'{name}'" for name in channels if name not in {*wanted, "model"})
    found += [f"Additional properties are not allowed ({extra} unexpected)"] if extra else []
    for name, channel in channels.items():
        content_type = channel.get("ContentType")
        if name != "model" and content_type not in _CONTENT_TYPES:
            found.append(f"'{content_type}' is not one of {list(_CONTENT_TYPES)}\n\nOn instance['{name}']")
    _refuse(found, "input data configuration")


def check_input(request: Request, folder: JobDirectory) -> None:
    """Raise JobFailed where a .lst file or an image is not what the algorithm can read."""
    given = request["HyperParameters"]
    for name in _LISTED:
        lists = sorted(folder.data.joinpath(f"{name}_lst").rglob("*.lst"))
        if len(lists) != 1:
            raise JobFailed(f"ClientError: {name}_lst: {len(lists)} .lst files in the channel; one is expected")
        for file in _listed(lists[0], name, int(given["num_classes"])):
            _check_image(folder.data / name, file, given)


def arguments(request: Request) -> list[str]:
    """Return our trainer's options for the algorithm's hyperparameters; what has no counterpart is left out."""
    given = request["HyperParameters"]
    pretrained = given.get("use_pretrained_model", "0") == "1"
    side = given.get("image_shape", "3,224,224").split(",")[2]
    options = {
        "epochs": given.get("epochs", "30"),
        "batch": given.get("mini_batch_size", "32"),
        "size": side,
        "training-size": "0",
        "through": "0",
        "pretrained": "true" if pretrained else "false",
        "backbone": "lite2" if pretrained else "tiny",
        "rendered": "0",
        "calibration-folds": "0",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _refuse(found: list[str], what: str) -> None:
    if found:
        causes = "\n\nCaused by: ".join(found)
        raise JobFailed(
            f"ClientError: Unable to initialize the algorithm. Failed to validate {what}. (caused by ValidationError)"
            f"\n\nCaused by: {causes}"
        )


def _listed(path: Path, channel: str, classes: int) -> list[str]:
    files = []
    for number, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) != 3 or not fields[0].isdecimal() or re.fullmatch(r"[0-9]{1,6}(\.0+)?", fields[1]) is None:
            raise JobFailed(
                f"ClientError: {channel}_lst: line {number} of {path.name} is not an index, a label and a path with "
                f"tabs between them: {line[:80]!r}"
            )
        if float(fields[1]) >= classes:
            raise JobFailed(
                f"ClientError: {channel}_lst: line {number} of {path.name} has label {fields[1]}, but num_classes is "
                f"{classes}"
            )
        files.append(fields[2])
    if not files:
        raise JobFailed(f"ClientError: {channel}_lst: {path.name} is empty")
    return files


def _check_image(channel: Path, file: str, given: Mapping[str, str]) -> None:
    _, height, width = (int(part) for part in given.get("image_shape", "3,224,224").split(","))
    path = (channel / file).resolve()
    if not path.is_relative_to(channel.resolve()) or not path.is_file():
        raise JobFailed(f"ClientError: {channel.name}: no image {file[:200]!r} in the channel")
    try:
        with Image.open(path) as image:
            size = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise JobFailed(f"ClientError: {channel.name}: {file} cannot be decoded as an image: {error}") from error
    if "resize" in given:
        scale = int(given["resize"]) / min(size)
        size = (round(size[0] * scale), round(size[1] * scale))
    if size[0] < width or size[1] < height:
        raise JobFailed(
            f"ClientError: {channel.name}: {file} has {size[0]}x{size[1]} pixels, which is smaller than image_shape "
            f"{given.get('image_shape', '3,224,224')}; use a smaller image_shape or larger images"
        )

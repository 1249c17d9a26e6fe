"""What the built-in image classification refuses, and how our trainer stands in for it.

Hyperparameters, channels and the layout of .lst files are those that AWS documents for the algorithm:
https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from PIL import Image

from core.errors import MalformedLst
from core.lst_files import iterate_lst
from emulation.sagemaker.errors import TrainingFailed
from emulation.sagemaker.training import record_io
from emulation.sagemaker.training.job_files import JobDirectory, Request
from emulation.settings import ROOT

METRICS = (
    {"Name": "train:accuracy", "Regex": r"Epoch\S* Train-accuracy=(\S*)"},
    {"Name": "validation:accuracy", "Regex": r"Epoch\S* Validation-accuracy=(\S*)"},
)
REQUIRED = ("num_classes", "num_training_samples")
_HONOURED = frozenset({*REQUIRED, "epochs", "image_shape", "mini_batch_size", "resize", "use_pretrained_model"})
_DEFAULTS = {"epochs": "30", "image_shape": "3,224,224", "mini_batch_size": "32", "use_pretrained_model": "0"}
_DEPTHS = ("18", "20", "32", "34", "44", "50", "56", "101", "110", "152", "200")
_CONTENT_TYPES = ("application/x-image", "image/jpeg", "image/png")
_LISTED = ("train", "validation")
_SMALL = 64
_FROM_SCRATCH = {
    "learning-rate": "0.003",
    "rotate": "0",
    "zoom": "0.1",
    "shear": "0",
    "shift": "0.125",
    "colour": "0",
    "blank": "0",
    "mix": "0",
}
"""Thirty epochs without ImageNet's weights are too few for the augmentation of our recipe."""

Check = Callable[[str], str | None]


def is_builtin_image(image: str) -> bool:
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
    """Raise TrainingFailed where hyperparameters or channels are not the algorithm's."""
    hyperparameters: Mapping[str, str] = request.get("HyperParameters", {})
    violations = [f"'{name}' is a required property" for name in REQUIRED if name not in hyperparameters]
    extra = ", ".join(f"'{name}'" for name in hyperparameters if name not in HYPERPARAMETERS)
    violations += [f"Additional properties are not allowed ({extra} unexpected)"] if extra else []
    for name, value in hyperparameters.items():
        problem = HYPERPARAMETERS[name](value) if name in HYPERPARAMETERS else None
        violations += [f"{problem}\n\nOn instance['{name}']"] if problem else []
    _refuse(violations, "hyperparameters")
    if int(hyperparameters.get("mini_batch_size", _DEFAULTS["mini_batch_size"])) > int(
        hyperparameters["num_training_samples"]
    ):
        _refuse(["mini_batch_size is larger than num_training_samples"], "hyperparameters")
    channels = {channel["ChannelName"]: channel for channel in request.get("InputDataConfig", ())}
    content_types: tuple[str, ...] = _CONTENT_TYPES
    required = [*_LISTED, *(f"{name}_lst" for name in _LISTED)]
    if _in_records(request):
        content_types, required = (record_io.CONTENT_TYPE,), list(_LISTED)
    violations = [f"'{name}' is a required property" for name in required if name not in channels]
    extra = ", ".join(f"'{name}'" for name in channels if name not in {*required, "model"})
    violations += [f"Additional properties are not allowed ({extra} unexpected)"] if extra else []
    for name, channel in channels.items():
        content_type = channel.get("ContentType")
        if name != "model" and content_type not in content_types:
            violations.append(f"'{content_type}' is not one of {list(content_types)}\n\nOn instance['{name}']")
    _refuse(violations, "input data configuration")


def check_input(request: Request, folder: JobDirectory) -> None:
    """Raise TrainingFailed where a .lst file, a RecordIO file or an image is not what the algorithm can read."""
    hyperparameters = request["HyperParameters"]
    for name in _LISTED:
        if _in_records(request):
            record_io.unpack(folder.data / name, _list_of_records(folder, name))
        lists = sorted(folder.data.joinpath(f"{name}_lst").rglob("*.lst"))
        if len(lists) != 1:
            raise TrainingFailed(f"ClientError: {name}_lst: {len(lists)} .lst files in the channel; one is expected")
        for file in _listed_files(lists[0], name, int(hyperparameters["num_classes"])):
            _check_image(folder.data / name, file, hyperparameters)


def environment(request: Request, folder: JobDirectory) -> dict[str, str]:
    """Return where our trainer is, and channels that the request does not have: lists of what was in RecordIO files."""
    listed = _LISTED if _in_records(request) else ()
    lists = {f"SM_CHANNEL_{name.upper()}_LST": str(_list_of_records(folder, name)) for name in listed}
    return {"PYTHONPATH": str(ROOT), **lists}


def notes(request: Request) -> list[str]:
    """Return the log's first lines, as the algorithm writes them; a line names each hyperparameter that is ignored."""
    values: Mapping[str, str] = request["HyperParameters"]
    used = {**_DEFAULTS, **{name: value for name, value in values.items() if name in _HONOURED}}
    return [
        "Docker entrypoint called with argument(s): train",
        "---- Parameters ----",
        *(f"{name}: {value}" for name, value in sorted(used.items())),
        "--------------------",
        *(
            f"[emulator] hyperparameter {name}={value} is ignored: the emulator trains its own network and recipe"
            for name, value in sorted(values.items())
            if name not in _HONOURED
        ),
    ]


def _in_records(request: Request) -> bool:
    """Whether images come in RecordIO files, which hold their labels."""
    types = {channel["ChannelName"]: channel.get("ContentType") for channel in request.get("InputDataConfig", ())}
    return record_io.CONTENT_TYPE in (types.get(name) for name in _LISTED)


def _list_of_records(folder: JobDirectory, name: str) -> Path:
    return folder.data / f"{name}_lst" / f"{name}.lst"


def arguments(request: Request) -> list[str]:
    """Return our trainer's options for the algorithm's hyperparameters."""
    hyperparameters = {**_DEFAULTS, **request["HyperParameters"]}
    pretrained = hyperparameters["use_pretrained_model"] == "1"
    side = hyperparameters["image_shape"].split(",")[2]
    options = {
        "epochs": hyperparameters["epochs"],
        "batch": hyperparameters["mini_batch_size"],
        "size": side,
        "training-size": "0",
        "through": "0",
        "pretrained": "true" if pretrained else "false",
        "backbone": "lite2" if pretrained else "resnet" if int(side) <= _SMALL else "tiny",
        "rendered": "0",
        "calibration-folds": "0",
        "members": "1",
    }
    if not pretrained:
        options |= _FROM_SCRATCH
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _refuse(violations: list[str], what: str) -> None:
    if violations:
        causes = "\n\nCaused by: ".join(violations)
        raise TrainingFailed(
            f"ClientError: Unable to initialize the algorithm. Failed to validate {what}. (caused by ValidationError)"
            f"\n\nCaused by: {causes}"
        )


def _listed_files(path: Path, channel: str, classes: int) -> Iterator[str]:
    """Yield the path of each image of a .lst file, a line at a time. Raises TrainingFailed for a malformed line."""
    entry = None
    try:
        for entry in iterate_lst(path):
            if entry.label >= classes:
                raise TrainingFailed(
                    f"ClientError: {channel}_lst: {entry.file} of {path.name} has label {entry.label}, but num_classes "
                    f"is {classes}"
                )
            yield entry.file
    except MalformedLst as error:
        raise TrainingFailed(f"ClientError: {channel}_lst: line {error.line} of {path.name}: {error.reason}") from error
    if entry is None:
        raise TrainingFailed(f"ClientError: {channel}_lst: {path.name} is empty")


def _check_image(channel: Path, file: str, hyperparameters: Mapping[str, str]) -> None:
    _, height, width = (int(part) for part in hyperparameters.get("image_shape", _DEFAULTS["image_shape"]).split(","))
    path = (channel / file).resolve()
    if not path.is_relative_to(channel.resolve()) or not path.is_file():
        raise TrainingFailed(f"ClientError: {channel.name}: no image {file[:200]!r} in the channel")
    try:
        with Image.open(path) as image:
            size = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TrainingFailed(f"ClientError: {channel.name}: {file} cannot be decoded as an image: {error}") from error
    if "resize" in hyperparameters:
        scale = int(hyperparameters["resize"]) / min(size)
        size = (round(size[0] * scale), round(size[1] * scale))
    if size[0] < width or size[1] < height:
        raise TrainingFailed(
            f"ClientError: {channel.name}: {file} has {size[0]}x{size[1]} pixels, which is smaller than image_shape "
            f"{hyperparameters.get('image_shape', '3,224,224')}; use a smaller image_shape or larger images"
        )

"""The hyperparameters of the vehicle network: each field is a hyperparameter of a job and an option of the program."""

import argparse
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from core.labels import VEHICLES
from training.vehicle_net.errors import InvalidHyperparameter

_BETWEEN_MEMBERS = 100
"""Distance of the members' seeds: larger than the number of folds, whose seeds follow one another."""
_LABELS = re.compile(r"[\w-]{1,60},[\w-]{1,60}", re.ASCII)


@dataclass(frozen=True)
class Hyperparameters:
    """Everything that decides the weights besides the images; docs/model-card.md says how the defaults were chosen."""

    labels: str = ",".join(VEHICLES)
    """The names of labels 0 and 1, with a comma between."""
    backbone: str = "lite2"
    """lite0, lite1, lite2, or tiny or resnet, which have no ImageNet weights."""
    pretrained: bool = True
    """Start from ImageNet weights; false trains from scratch."""
    size: int = 128
    """Side of the network's input pixels."""
    training_size: int = 0
    """Side in training, 0 for `size`."""
    mirror: bool = False
    """Predict from each image and its mirror image, in twice the time."""
    through: int = 0
    """Side that every image is reduced to before it is resized; 0 for none."""
    epochs: int = 13
    """How often each image of the train channel is seen."""
    batch: int = 16
    """Images of the train channel in a step."""
    others: int = 8
    """Images of the other channel in a step, where there is one; they are neither of the labels."""
    vehicles: int = 7
    """Rendered vehicles in a step, or none if `labels` are not vehicles."""
    scenes: int = 4
    """Rendered scenes without a bicycle or a motorcycle in a step, where there is an other channel."""
    rendered: int = 2000
    """Rendered vehicles, and as many scenes, that steps draw from; 0 for none."""
    full: float = 0.1
    """Share of the steps that take rendered images as sharp as they are; the others reduce them to a random side."""
    learning_rate: float = 6e-4
    weight_decay: float = 0.02
    warmup: float = 0.15
    """Share of the steps in which the learning rate rises; it then falls linearly to nothing."""
    average: float = 0.98
    """Decay of the moving average of the weights, which is what is exported."""
    members: int = 2
    """Networks from different seeds whose weights are averaged (https://arxiv.org/abs/2203.05482); without
    ImageNet weights to start from, which bring them close enough for that, there is one."""
    frozen: int = 5
    """Blocks after the stem that keep their ImageNet weights."""
    kept: float = 0.1
    """Share of the ImageNet weights in the final ones (https://arxiv.org/abs/2109.01903)."""
    folds: int = 5
    """Parts of the train channel for cross-validation."""
    calibration_folds: int = 2
    """Parts that the calibration is fitted on, each predicted by a network that was trained without it: `folds` for the
    whole cross-validation, 0 to leave confidences uncalibrated."""
    prior: float = 0.5
    """The number of images of neither for each vehicle that the calibration assumes."""
    seed: int = 0

    rotate: float = 15.0
    """Largest rotation, degrees both ways."""
    zoom: float = 0.2
    shear: float = 0.15
    shift: float = 0.1
    """Largest shift, as a share of the side."""
    colour: float = 0.3
    """Largest change of brightness, contrast and saturation, each."""
    blank: float = 0.25
    """Share of the side of a square that is painted grey in half of the images."""
    spoil: float = 0.5
    """Chance that an image is degraded as by a camera: blur, darkness, noise and JPEG, each with a share of it."""
    mix: float = 0.2
    """Parameter of the beta distribution that mixup draws shares from; 0 for none."""

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Return the defaults, replaced by `values` (strings or numbers). Raises InvalidHyperparameter."""
        types = {field.name: type(field.default) for field in fields(cls)}
        changes: dict[str, Any] = {}
        for option, value in values.items():
            name = option.replace("-", "_")
            if name not in types:
                raise InvalidHyperparameter(option, value, f"the network has {', '.join(types)}")
            changes[name] = _converted(option, value, types[name])
        return replace(cls(), **changes)

    @property
    def member_seeds(self) -> list[int]:
        """What each member adds to the seed of its network."""
        return [_BETWEEN_MEMBERS * member for member in range(self.members if self.pretrained else 1)]

    @property
    def total_epochs(self) -> int:
        """Epochs of all members together."""
        return self.epochs * len(self.member_seeds)

    @property
    def names(self) -> tuple[str, str]:
        """The names of label 0 and label 1."""
        first, second = self.labels.split(",")
        return first, second

    @property
    def of_vehicles(self) -> bool:
        """Whether the labels are those that rendered vehicles and ImageNet's two-wheelers can stand for."""
        return self.names == VEHICLES

    def __post_init__(self) -> None:
        if not _LABELS.fullmatch(self.labels) or len(set(self.labels.split(","))) != 2:
            raise InvalidHyperparameter("labels", self.labels, "two different names with a comma between are needed")
        if self.members < 1:
            raise InvalidHyperparameter("members", self.members, "at least one network is needed")
        if self.calibration_folds not in {0, *range(2, self.folds + 1)}:
            raise InvalidHyperparameter(
                "calibration_folds", self.calibration_folds, f"0 or 2 to {self.folds}, the number of folds, is needed"
            )

    def to_dict(self) -> dict[str, object]:
        """As model.json's provenance and the checkpoints hold it."""
        return asdict(self)


def _converted(name: str, value: object, kind: type) -> object:
    text = str(value).strip().strip('"')
    try:
        if kind is bool:
            return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
        return kind(float(text)) if kind is int and float(text).is_integer() else kind(text)
    except (KeyError, ValueError) as error:
        raise InvalidHyperparameter(name, value, f"a value of type {kind.__name__} is needed") from error


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field; SageMaker passes hyperparameters under their names, with underscores."""
    group = parser.add_argument_group("hyperparameters")
    for field in fields(Hyperparameters):
        names = sorted({f"--{field.name.replace('_', '-')}", f"--{field.name}"})
        group.add_argument(*names, dest=field.name, metavar=field.name.upper(), help=f"default {field.default}")


def chosen(options: argparse.Namespace, hyperparameters: Mapping[str, object]) -> Hyperparameters:
    """Return the hyperparameters: options, then the job's, then defaults. Raises InvalidHyperparameter."""
    names = [field.name for field in fields(Hyperparameters)]
    options_set = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return Hyperparameters.of(
        {**{name.replace("-", "_"): value for name, value in hyperparameters.items()}, **options_set}
    )

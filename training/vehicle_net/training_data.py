"""What a training job learns from and what its networks are scored on: channels and rendered images."""

import os
from collections.abc import Sequence
from functools import reduce
from operator import add

from training.serving.model import Preprocessing
from training.vehicle_net.channels import (
    Images,
    Material,
    ScoringImages,
    preprocessing,
    read_as_stored,
    read_channel,
    rendered_scenes,
    rendered_vehicles,
    stored_side,
)
from training.vehicle_net.environment import Channel, RunConfiguration
from training.vehicle_net.hyperparameters import Hyperparameters


def read(configuration: RunConfiguration) -> tuple[Material, ScoringImages]:
    """Read the channels and render images. Raises MalformedChannel."""
    hyperparameters, workers = configuration.hyperparameters, os.cpu_count() or 1
    labelled_channels = [configuration.train, *([configuration.reviewed] if configuration.reviewed else [])]
    material = Material(
        real=_read_together(labelled_channels, hyperparameters),
        others=read_as_stored(configuration.other.images, configuration.other.listing, hyperparameters, labelled=False)
        if configuration.other
        else None,
        vehicles=rendered_vehicles(hyperparameters, workers=workers),
        scenes=rendered_scenes(hyperparameters, workers=workers) if configuration.other else None,
    )

    def read_scoring(channel: Channel, *, labelled: bool = True) -> Images:
        return read_channel(channel.images, channel.listing, preprocessing(hyperparameters), labelled=labelled)

    return material, ScoringImages(
        real=reduce(add, map(read_scoring, labelled_channels)),
        others=read_scoring(configuration.other, labelled=False) if configuration.other else None,
        validation=read_scoring(configuration.validation) if configuration.validation else None,
    )


def _read_together(channels: Sequence[Channel], hyperparameters: Hyperparameters) -> Images:
    """Decode labelled channels for training, all at the largest of their sides."""
    spec = Preprocessing(max(stored_side(channel.images, channel.listing, hyperparameters) for channel in channels))
    return reduce(add, [read_channel(channel.images, channel.listing, spec) for channel in channels])

"""What a training job learns from and what its networks are scored on: channels and rendered images."""

import os
from collections.abc import Sequence
from functools import reduce
from operator import add

from training.serving.preprocessing import Preprocessing
from training.vehicle_net.data import (
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
from training.vehicle_net.environment import Channel, Job
from training.vehicle_net.recipe import Recipe


def read(job: Job) -> tuple[Material, ScoringImages]:
    """Read the job's channels and render. Raises MalformedChannel."""
    recipe, workers = job.recipe, os.cpu_count() or 1
    labelled_channels = [job.train, *([job.reviewed] if job.reviewed else [])]
    material = Material(
        real=_read_together(labelled_channels, recipe),
        others=read_as_stored(job.other.images, job.other.listing, recipe, labelled=False) if job.other else None,
        vehicles=rendered_vehicles(recipe, workers=workers),
        scenes=rendered_scenes(recipe, workers=workers) if job.other else None,
    )

    def read_scoring(channel: Channel, *, labelled: bool = True) -> Images:
        return read_channel(channel.images, channel.listing, preprocessing(recipe), labelled=labelled)

    return material, ScoringImages(
        real=reduce(add, map(read_scoring, labelled_channels)),
        others=read_scoring(job.other, labelled=False) if job.other else None,
        validation=read_scoring(job.validation) if job.validation else None,
    )


def _read_together(channels: Sequence[Channel], recipe: Recipe) -> Images:
    """Decode labelled channels for training, all at the largest of their sides."""
    spec = Preprocessing(max(stored_side(channel.images, channel.listing, recipe) for channel in channels))
    return reduce(add, [read_channel(channel.images, channel.listing, spec) for channel in channels])

"""What a training job learns from and what its networks are read_scoring about: channels and rendered images."""

import os

from training.vehicle_net.data import (
    Images,
    Material,
    ScoringImages,
    preprocessing,
    read_as_stored,
    read_channel,
    rendered_scenes,
    rendered_vehicles,
)
from training.vehicle_net.environment import Channel, Job


def read(job: Job) -> tuple[Material, ScoringImages]:
    """Read the job's channels and render. Raises MalformedChannel."""
    recipe, workers = job.recipe, os.cpu_count() or 1
    material = Material(
        real=read_as_stored(job.train.images, job.train.listing, recipe),
        others=read_as_stored(job.other.images, job.other.listing, recipe, labelled=False) if job.other else None,
        vehicles=rendered_vehicles(recipe, workers=workers),
        scenes=rendered_scenes(recipe, workers=workers) if job.other else None,
    )

    def read_scoring(channel: Channel, *, labelled: bool = True) -> Images:
        return read_channel(channel.images, channel.listing, preprocessing(recipe), labelled=labelled)

    return material, ScoringImages(
        real=read_scoring(job.train),
        others=read_scoring(job.other, labelled=False) if job.other else None,
        validation=read_scoring(job.validation) if job.validation else None,
    )

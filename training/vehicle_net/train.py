"""Train the vehicle network: on a laptop, in the emulator, or on SageMaker in script mode.

python -m training.vehicle_net.train --train DIR --train-lst FILE [--validation DIR --validation-lst FILE]
                                     [--model-dir DIR] [--epochs N ...]

Cross-validates the recipe for the calibration, trains on all images, and writes model.onnx and model.json. Killed and
started again it continues. The validation channel is reported and nothing else: it decides nothing.
"""

import csv
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

import numpy as np
import torch

from training.vehicle_net import crossvalidate, export
from training.vehicle_net.answering import answers, session_of
from training.vehicle_net.calibrate import Calibration
from training.vehicle_net.data import (
    SCORING_SEEDS,
    Images,
    preprocessing,
    read_channel,
    read_listing,
    rendered,
    rendered_pool,
    training_preprocessing,
)
from training.vehicle_net.description import Provenance, write
from training.vehicle_net.environment import Job, job_of
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.learn import EpochReport, Run, fit, margins
from training.vehicle_net.metrics import Score, reliability
from training.vehicle_net.network import VehicleNet
from training.vehicle_net.recipe import Recipe

RENDERED_FOR_SCORING = 1000
OUT_OF_FOLD = "out_of_fold.csv"
TRAINING_SAMPLE = 200
"""About how many training images the accuracy in training is of."""


@dataclass(frozen=True)
class Pictures:
    """What a job trains on, and the same and the validation channel at the size at which the network answers."""

    real: Images
    drawn: Images | None
    asked: Images
    validation: Images | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """Read the channels and render. Raises MalformedChannel."""
        spec, train, validation = preprocessing(job.recipe), job.train, job.validation
        return cls(
            real=read_channel(train.images, train.listing, training_preprocessing(job.recipe)),
            drawn=rendered_pool(job.recipe, workers=os.cpu_count() or 1),
            asked=read_channel(train.images, train.listing, spec),
            validation=read_channel(validation.images, validation.listing, spec) if validation else None,
        )


def report_to(say: Callable[[str], None], recipe: Recipe, training: Images, validation: Images | None) -> EpochReport:
    """Reports in the words that the built-in algorithm's metric definitions read."""
    began = time.monotonic()

    def report(epoch: int, network: VehicleNet, loss: float) -> None:
        passed = time.monotonic() - began
        say(f"Epoch[{epoch}] Train-loss={loss:.6f}")
        say(f"Epoch[{epoch}] Time cost={passed:.1f} of about {passed * recipe.epochs / (epoch + 1):.0f} s")
        for channel, images in (("Train", training), ("Validation", validation)):
            if images is not None:
                right = (margins(network, images, mirror=recipe.mirror) > 0) == (images.labels == 1)
                say(f"Epoch[{epoch}] {channel}-accuracy={right.mean():.6f}")

    return report


def _calibration(job: Job, pictures: Pictures) -> tuple[Calibration, dict[str, object]]:
    """Fitted on out-of-fold answers; with it the figures of the cross-validation and of its networks."""
    recipe, validation = job.recipe, pictures.validation
    if not recipe.calibration_folds:
        return Calibration(), {}
    found = crossvalidate.out_of_fold(
        recipe,
        pictures.real,
        pictures.drawn,
        asked=pictures.asked,
        networks=recipe.calibration_folds,
        device=job.device,
        checkpoints=job.checkpoints,
        also=validation,
    )
    _write_out_of_fold(job, found)
    score, calibration = found.score(), found.calibration()
    print(f"Cross-validation: {score}", flush=True)
    bins = reliability(found.probabilities(), found.labels)
    figures: dict[str, object] = {
        "cross_validation": {**score.to_dict(), "folds": found.accuracies()},
        "reliability": bins,
    }
    if validation is not None:
        answered = [calibration.probabilities(margins) for margins in found.elsewhere]
        figures["validation_of_folds"] = [Score.of(given, validation.labels).to_dict() for given in answered]
    return calibration, figures


def _write_out_of_fold(job: Job, found: crossvalidate.OutOfFold) -> None:
    """Answers for training images by networks that had not seen them, for whoever wants to look at single ones."""
    entries = read_listing(job.train.listing)
    job.model_dir.mkdir(parents=True, exist_ok=True)
    with (job.model_dir / OUT_OF_FOLD).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "label", *job.recipe.names))
        for position, label, answer in zip(found.positions, found.labels, found.probabilities(), strict=True):
            rows.writerow((entries[position].file, label, *(f"{share:.6f}" for share in answer)))


def train(job: Job) -> Path:
    """Run the job; the model directory. Raises VehicleNetError."""
    recipe, pictures = job.recipe, Pictures.of(job)
    real, drawn, validation = pictures.real, pictures.drawn, pictures.validation
    print(f"{len(real)} images, {len(drawn) if drawn else 0} rendered, on {job.device}", flush=True)
    calibration, figures = _calibration(job, pictures)
    run = Run(recipe, real, drawn, seed=recipe.seed, device=job.device)
    every = max(1, len(pictures.asked) // TRAINING_SAMPLE)
    sample = pictures.asked.where(np.arange(len(pictures.asked)) % every == 0)
    report = report_to(lambda line: print(line, flush=True), recipe, sample, validation)
    network = fit(run, checkpoints=job.checkpoints, report=report).cpu()
    job.model_dir.mkdir(parents=True, exist_ok=True)
    graph = job.model_dir / "model.onnx"
    figures["export_difference"] = export.write(
        network, recipe.size, calibration, graph, mirror=recipe.mirror, check=pictures.asked
    )
    session = session_of(graph, threads=torch.get_num_threads())
    if validation is not None:
        figures["validation"] = Score.of(answers(session, validation.pixels), validation.labels).to_dict()
    spec = preprocessing(recipe)
    if drawn is not None:
        vehicles = rendered(RENDERED_FOR_SCORING, SCORING_SEEDS, spec, workers=os.cpu_count() or 1)
        figures["rendered"] = Score.of(answers(session, vehicles.pixels), vehicles.labels).to_dict()
    provenance = Provenance(
        recipe=recipe.to_dict(),
        images={"train": real.digest(), "train_count": len(real), "rendered_count": len(drawn) if drawn else 0},
        versions={name: metadata.version(name) for name in ("torch", "numpy", "pillow", "onnx", "onnxruntime")},
    )
    write(job.model_dir / "model.json", recipe.names, spec, calibration, figures, provenance)
    return job.model_dir


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the laptop, the emulator and the training container."""
    try:
        job = job_of(arguments, os.environ)
        print(f"Model in {train(job)}", flush=True)
    except VehicleNetError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

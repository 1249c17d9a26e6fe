"""Train the vehicle network: on a laptop, in the emulator, or on SageMaker in script mode.

python -m training.vehicle_net.train --train DIR --train-lst FILE [--validation DIR --validation-lst FILE]
                                     [--other DIR --other-lst FILE] [--model-dir DIR] [--epochs N ...]

Cross-validates the recipe for the calibration, trains on all images, and writes model.onnx and model.json. Killed and
started again it continues. The validation channel is reported and nothing else: it decides nothing. From the other
channel, whose images show neither label, the network learns to say so; without it, it knows two answers.
"""

import csv
import os
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from training.vehicle_net import crossvalidate, export, materials
from training.vehicle_net.calibrate import Calibration
from training.vehicle_net.data import SCORING_SEEDS, Asked, Images, Material, preprocessing, read_listing
from training.vehicle_net.data import rendered as rendered_for
from training.vehicle_net.description import Provenance, write
from training.vehicle_net.environment import Job, job_of
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.inference import answers, session_of
from training.vehicle_net.learn import EpochReport, Run, fit, logits_of
from training.vehicle_net.metrics import Score, reliability
from training.vehicle_net.network import VehicleNet
from training.vehicle_net.recipe import Recipe

RENDERED_FOR_SCORING = 1000
OUT_OF_FOLD = "out_of_fold.csv"
TRAINING_SAMPLE = 200
"""About how many training images the accuracy in training is of."""


def report_to(say: Callable[[str], None], recipe: Recipe, training: Images, validation: Images | None) -> EpochReport:
    """Reports in the words that the built-in algorithm's metric definitions read."""
    began = time.monotonic()

    def report(epoch: int, network: VehicleNet, loss: float) -> None:
        passed = time.monotonic() - began
        say(f"Epoch[{epoch}] Train-loss={loss:.6f}")
        say(f"Epoch[{epoch}] Time cost={passed:.1f} of about {passed * recipe.epochs / (epoch + 1):.0f} s")
        for channel, images in (("Train", training), ("Validation", validation)):
            if images is not None:
                logits = logits_of(network, images, mirror=recipe.mirror)
                right = (logits[:, 1] > logits[:, 0]) == (images.labels == 1)
                say(f"Epoch[{epoch}] {channel}-accuracy={right.mean():.6f}")

    return report


def _calibration(job: Job, material: Material, asked: Asked) -> tuple[Calibration, dict[str, object]]:
    """Fitted on out-of-fold answers; with it the figures of the cross-validation and of its networks."""
    recipe, validation = job.recipe, asked.elsewhere
    if not recipe.calibration_folds:
        return Calibration(), {}
    found = crossvalidate.out_of_fold(
        recipe,
        material,
        asked,
        networks=recipe.calibration_folds,
        device=job.device,
        checkpoints=job.checkpoints,
    )
    _write_out_of_fold(job, found)
    score, calibration, neither = found.score(), found.calibration(), found.of_neither()
    print(f"Cross-validation: {score}", flush=True)
    bins = reliability(found.probabilities(), found.labels)
    figures: dict[str, object] = {
        "cross_validation": {**score.to_dict(), "folds": found.accuracies()},
        "reliability": bins,
    }
    if neither is not None:
        print(f"Cross-validation, neither: {neither}", flush=True)
        figures["cross_validation_neither"] = neither.to_dict()
    if validation is not None:
        answered = [calibration.probabilities(logits) for logits in found.elsewhere]
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
    recipe, (material, asked) = job.recipe, materials.read(job)
    counts = {f"{name}_count": len(images) if images else 0 for name, images in _named(material).items()}
    print(f"{', '.join(f'{name} {count}' for name, count in counts.items())}, on {job.device}", flush=True)
    calibration, figures = _calibration(job, material, asked)
    run = Run(recipe, material, seed=recipe.seed, device=job.device)
    every = max(1, len(asked.real) // TRAINING_SAMPLE)
    sample = asked.real.where(np.arange(len(asked.real)) % every == 0)
    report = report_to(lambda line: print(line, flush=True), recipe, sample, asked.elsewhere)
    network = fit(run, checkpoints=job.checkpoints, report=report).cpu()
    job.model_dir.mkdir(parents=True, exist_ok=True)
    graph = job.model_dir / "model.onnx"
    check = asked.real if asked.others is None else asked.real + asked.others
    figures["export_difference"] = export.write(
        network, recipe.size, calibration, graph, mirror=recipe.mirror, check=check
    )
    figures |= _answered(job, graph, asked.elsewhere, rendered=material.vehicles is not None)
    provenance = Provenance(
        recipe=recipe.to_dict(),
        images={"material": material.digest(), **counts},
        versions={name: metadata.version(name) for name in ("torch", "numpy", "pillow", "onnx", "onnxruntime")},
    )
    fitted = calibration.to_dict(neither=material.knows_neither)
    write(job.model_dir / "model.json", recipe.names, preprocessing(recipe), fitted, figures, provenance)
    return job.model_dir


def _named(material: Material) -> dict[str, Images | None]:
    return {
        "train": material.real,
        "other": material.others,
        "rendered": material.vehicles,
        "scenes": material.scenes,
    }


def _answered(job: Job, graph: Path, validation: Images | None, *, rendered: bool) -> dict[str, object]:
    """Figures of the exported graph on images that it did not learn from."""
    session, figures = session_of(graph, threads=torch.get_num_threads()), dict[str, object]()
    if validation is not None:
        figures["validation"] = Score.of(answers(session, validation.pixels), validation.labels).to_dict()
    if rendered:
        spec, workers = preprocessing(job.recipe), os.cpu_count() or 1
        vehicles = rendered_for(RENDERED_FOR_SCORING, SCORING_SEEDS, spec, workers=workers)
        figures["rendered"] = Score.of(answers(session, vehicles.pixels), vehicles.labels).to_dict()
    return figures


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

"""Train the vehicle network: on a laptop, in the emulator, or on SageMaker in script mode.

python -m training.vehicle_net.train --train DIR --train-lst FILE [--validation DIR --validation-lst FILE]
                                     [--model-dir DIR] [--epochs N ...]

Cross-validates the recipe for the calibration, trains on all images, and writes model.onnx and model.json. Killed and
started again it continues. The validation channel is reported and nothing else: it decides nothing.
"""

import os
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import torch

from training.vehicle_net import crossvalidate, export
from training.vehicle_net.answering import answers, session_of
from training.vehicle_net.calibrate import Calibration
from training.vehicle_net.data import SCORING_SEEDS, Images, preprocessing, read_channel, rendered, rendered_pool
from training.vehicle_net.description import Provenance, write
from training.vehicle_net.environment import Job, job_of
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.learn import EpochReport, Run, fit, margins
from training.vehicle_net.metrics import Score, reliability
from training.vehicle_net.network import VehicleNet

RENDERED_FOR_SCORING = 1000


def report_to(say: Callable[[str], None], epochs: int, validation: Images | None) -> EpochReport:
    """Reports in the words that the built-in algorithm's metric definitions read."""
    began = time.monotonic()

    def report(epoch: int, network: VehicleNet, loss: float) -> None:
        passed = time.monotonic() - began
        say(f"Epoch[{epoch}] Train-loss={loss:.6f}")
        say(f"Epoch[{epoch}] Time cost={passed:.1f} of about {passed * epochs / (epoch + 1):.0f} s")
        if validation is not None:
            right = (margins(network, validation) > 0) == (validation.labels == 1)
            say(f"Epoch[{epoch}] Validation-accuracy={right.mean():.6f}")

    return report


def _calibration(
    job: Job, real: Images, drawn: Images | None, validation: Images | None
) -> tuple[Calibration, dict[str, object]]:
    """Fitted on out-of-fold answers; with it the figures of the cross-validation and of its networks."""
    if not job.recipe.folds:
        return Calibration(), {}
    found = crossvalidate.out_of_fold(
        job.recipe, real, drawn, device=job.device, checkpoints=job.checkpoints, also=validation
    )
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


def train(job: Job) -> Path:
    """Run the job; the model directory. Raises VehicleNetError."""
    spec = preprocessing(job.recipe)
    real = read_channel(job.train.images, job.train.listing, spec)
    validation = read_channel(job.validation.images, job.validation.listing, spec) if job.validation else None
    drawn = rendered_pool(job.recipe, spec, workers=os.cpu_count() or 1)
    print(f"{len(real)} images, {len(drawn) if drawn else 0} rendered, on {job.device}", flush=True)
    calibration, figures = _calibration(job, real, drawn, validation)
    run = Run(job.recipe, real, drawn, seed=job.recipe.seed, device=job.device)
    report = report_to(lambda line: print(line, flush=True), job.recipe.epochs, validation)
    network = fit(run, checkpoints=job.checkpoints, report=report).cpu()
    job.model_dir.mkdir(parents=True, exist_ok=True)
    graph = job.model_dir / "model.onnx"
    figures["export_difference"] = export.write(network, job.recipe.size, calibration, graph, check=real)
    session = session_of(graph, threads=torch.get_num_threads())
    if validation is not None:
        figures["validation"] = Score.of(answers(session, validation.pixels), validation.labels).to_dict()
    if drawn is not None:
        vehicles = rendered(RENDERED_FOR_SCORING, SCORING_SEEDS, spec, workers=os.cpu_count() or 1)
        figures["rendered"] = Score.of(answers(session, vehicles.pixels), vehicles.labels).to_dict()
    provenance = Provenance(
        recipe=job.recipe.to_dict(),
        images={"train": real.digest(), "train_count": len(real), "rendered_count": len(drawn) if drawn else 0},
        versions={name: metadata.version(name) for name in ("torch", "numpy", "pillow", "onnx", "onnxruntime")},
    )
    write(job.model_dir / "model.json", spec, calibration, figures, provenance)
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

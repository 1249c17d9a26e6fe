"""Train the vehicle network: on a laptop, in the emulator, or on SageMaker in script mode.

python -m training.vehicle_net.train --train DIR --train-lst FILE [--reviewed DIR --reviewed-lst FILE]
                                     [--validation DIR --validation-lst FILE] [--other DIR --other-lst FILE]
                                     [--model-dir DIR] [--epochs N ...]

Cross-validates the recipe for the calibration, trains on all images, and writes model.onnx and model.json. Killed and
started again, it continues. The validation channel is reported and decides nothing. The images of the other channel
show neither label; without that channel, the network predicts one of two labels for every image.
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

from training.vehicle_net import crossvalidate, export, training_data
from training.vehicle_net.calibrate import Calibration
from training.vehicle_net.channels import SCORING_SEEDS, Images, Material, ScoringImages, preprocessing, read_listing
from training.vehicle_net.channels import rendered as rendered_for
from training.vehicle_net.description import Provenance, write
from training.vehicle_net.environment import RunConfiguration, read_configuration
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.hyperparameters import Hyperparameters
from training.vehicle_net.inference import predict, session_of
from training.vehicle_net.learn import EpochReport, fit_members, logits_of
from training.vehicle_net.memory import keep_freed_memory
from training.vehicle_net.metrics import Score, reliability
from training.vehicle_net.network import VehicleNet

RENDERED_FOR_SCORING = 1000
OUT_OF_FOLD = "out_of_fold.csv"
TRAINING_SAMPLE = 200
"""Number of training images, approximately, on which each epoch's training accuracy is measured."""


def report_to(
    write_line: Callable[[str], None], hyperparameters: Hyperparameters, training: Images, validation: Images | None
) -> EpochReport:
    """Return a report in the form that the metric definitions of the built-in algorithm match."""
    began = epoch_began = time.monotonic()

    def accuracy(network: VehicleNet, images: Images) -> float:
        logits = logits_of(network, images, mirror=hyperparameters.mirror)
        return float(((logits[:, 1] > logits[:, 0]) == (images.labels == 1)).mean())

    def report(epoch: int, network: VehicleNet, loss: float) -> None:
        nonlocal epoch_began
        cost = time.monotonic() - epoch_began
        write_line(f"Epoch[{epoch}] Train-loss={loss:.6f}")
        write_line(f"Epoch[{epoch}] Train-accuracy={accuracy(network, training):.6f}")
        write_line(f"Epoch[{epoch}] Time cost={cost:.3f}")
        if validation is not None:
            write_line(f"Epoch[{epoch}] Validation-accuracy={accuracy(network, validation):.6f}")
        epoch_began = time.monotonic()
        left = (epoch_began - began) / (epoch + 1) * (hyperparameters.total_epochs - epoch - 1)
        write_line(f"Epoch[{epoch}] about {left:.0f} s left")

    return report


def _calibration(
    configuration: RunConfiguration, material: Material, scoring: ScoringImages
) -> tuple[Calibration, dict[str, object]]:
    """Fit the calibration on out-of-fold predictions; return it with the figures of the cross-validation."""
    hyperparameters, validation = configuration.hyperparameters, scoring.validation
    if not hyperparameters.calibration_folds:
        return Calibration(), {}
    held_out = crossvalidate.out_of_fold(
        hyperparameters,
        material,
        scoring,
        networks=hyperparameters.calibration_folds,
        device=configuration.device,
        checkpoints=configuration.checkpoints,
    )
    _write_out_of_fold(configuration, held_out)
    score, calibration, neither = held_out.score(), held_out.calibration(), held_out.of_neither()
    print(f"Cross-validation: {score}", flush=True)
    bins = reliability(held_out.probabilities(), held_out.labels)
    figures: dict[str, object] = {
        "cross_validation": {**score.to_dict(), "folds": held_out.accuracies()},
        "reliability": bins,
    }
    if neither is not None:
        print(f"Cross-validation, neither: {neither}", flush=True)
        figures["cross_validation_neither"] = neither.to_dict()
    if validation is not None:
        predictions = [calibration.probabilities(logits) for logits in held_out.validation]
        figures["validation_of_folds"] = [Score.of(each, validation.labels).to_dict() for each in predictions]
    return calibration, figures


def _write_out_of_fold(configuration: RunConfiguration, held_out: crossvalidate.OutOfFold) -> None:
    """Write the predictions for the training images by networks that were not trained on them."""
    entries = [
        entry
        for channel in (configuration.train, configuration.reviewed)
        if channel
        for entry in read_listing(channel.listing)
    ]
    configuration.model_dir.mkdir(parents=True, exist_ok=True)
    with (configuration.model_dir / OUT_OF_FOLD).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "label", *configuration.hyperparameters.names))
        for position, label, probabilities in zip(
            held_out.positions, held_out.labels, held_out.probabilities(), strict=True
        ):
            rows.writerow((entries[position].file, label, *(f"{share:.6f}" for share in probabilities)))


def train(configuration: RunConfiguration) -> Path:
    """Run the job; the model directory. Raises VehicleNetError."""
    hyperparameters, (material, scoring) = configuration.hyperparameters, training_data.read(configuration)
    counts = {f"{name}_count": len(images) if images else 0 for name, images in _named(material).items()}
    print(f"{', '.join(f'{name} {count}' for name, count in counts.items())}, on {configuration.device}", flush=True)
    calibration, figures = _calibration(configuration, material, scoring)
    step = max(1, len(scoring.real) // TRAINING_SAMPLE)
    sample = scoring.real.where(np.arange(len(scoring.real)) % step == 0)
    report = report_to(lambda line: print(line, flush=True), hyperparameters, sample, scoring.validation)
    network = fit_members(
        hyperparameters,
        material,
        seed=hyperparameters.seed,
        device=configuration.device,
        checkpoints=configuration.checkpoints,
        report=report,
    ).cpu()
    configuration.model_dir.mkdir(parents=True, exist_ok=True)
    graph = configuration.model_dir / "model.onnx"
    check = scoring.real if scoring.others is None else scoring.real + scoring.others
    figures["export_difference"] = export.write(
        network, hyperparameters.size, calibration, graph, mirror=hyperparameters.mirror, check=check
    )
    figures |= _graph_figures(configuration, graph, scoring.validation, rendered=material.vehicles is not None)
    provenance = Provenance(
        recipe=hyperparameters.to_dict(),
        images={"material": material.digest(), **counts},
        versions={name: metadata.version(name) for name in ("torch", "numpy", "pillow", "onnx", "onnxruntime")},
    )
    calibration_fields = calibration.to_dict(neither=material.knows_neither)
    write(
        configuration.model_dir / "model.json",
        hyperparameters.names,
        preprocessing(hyperparameters),
        calibration_fields,
        figures,
        provenance,
    )
    return configuration.model_dir


def _named(material: Material) -> dict[str, Images | None]:
    return {
        "train": material.real,
        "other": material.others,
        "rendered": material.vehicles,
        "scenes": material.scenes,
    }


def _graph_figures(
    configuration: RunConfiguration, graph: Path, validation: Images | None, *, rendered: bool
) -> dict[str, object]:
    """Figures of the exported graph on images that it did not learn from."""
    session, figures = session_of(graph, threads=torch.get_num_threads()), dict[str, object]()
    if validation is not None:
        figures["validation"] = Score.of(predict(session, validation.pixels), validation.labels).to_dict()
    if rendered:
        spec, workers = preprocessing(configuration.hyperparameters), os.cpu_count() or 1
        vehicles = rendered_for(RENDERED_FOR_SCORING, SCORING_SEEDS, spec, workers=workers)
        figures["rendered"] = Score.of(predict(session, vehicles.pixels), vehicles.labels).to_dict()
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the laptop, the emulator and the training container."""
    keep_freed_memory()
    try:
        configuration = read_configuration(arguments, os.environ)
        print(f"Model in {train(configuration)}", flush=True)
    except VehicleNetError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

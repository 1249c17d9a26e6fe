"""Cross-validation on the training images alone: what a recipe is chosen by and what the calibration is fitted on.

python -m training.vehicle_net.crossvalidate --train DIR --train-lst FILE [--other DIR --other-lst FILE]
                                             [--folds 5] [--size 112 ...] [--out FILE]
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.vehicle_net import training_data
from training.vehicle_net.calibrate import Calibration, Floats, fit
from training.vehicle_net.channels import Material, ScoringImages
from training.vehicle_net.environment import read_configuration
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.hyperparameters import Hyperparameters
from training.vehicle_net.learn import EpochReport, fit_members, logits_of
from training.vehicle_net.memory import keep_freed_memory
from training.vehicle_net.metrics import Accepted, Score
from training.vehicle_net.network import VehicleNet


@dataclass(frozen=True)
class FoldLogits:
    """Logits (N, outputs) of held-out images, by networks that were not trained on them, and the images' folds (N,)."""

    logits: Floats
    folds: npt.NDArray[np.int64]

    def of(self, fold: int) -> Floats:
        """The logits of one fold."""
        return self.logits[self.folds == fold]

    def without(self, fold: int) -> Floats:
        """The logits of the other folds."""
        return self.logits[self.folds != fold]


@dataclass(frozen=True)
class OutOfFold:
    """Of each image that was held out: its position in the channel and its label, all (N,), and its logits."""

    positions: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    vehicles: FoldLogits
    others: FoldLogits | None
    """Of images that show neither label."""
    validation: list[Floats]
    """Logits (M, outputs) of the validation channel, by each fold's network."""
    prior: float

    @property
    def folds(self) -> list[int]:
        """The folds that were held out."""
        return [int(fold) for fold in np.unique(self.vehicles.folds)]

    def calibration(self) -> Calibration:
        """Fitted on all images."""
        return fit(self.vehicles.logits, self.labels, self.others.logits if self.others else None, self.prior)

    def _calibration_without(self, fold: int) -> Calibration:
        others = self.others.without(fold) if self.others else None
        return fit(self.vehicles.without(fold), self.labels[self.vehicles.folds != fold], others, self.prior)

    def probabilities(self) -> Floats:
        """Probabilities (N, 2) of the vehicles, each fold's calibrated on the other folds."""
        return self._calibrated(self.vehicles)

    def of_neither(self) -> Accepted | None:
        """How many of the held-out images of neither are accepted, each fold's calibrated on the other folds."""
        return Accepted.of(self._calibrated(self.others)) if self.others else None

    def _calibrated(self, logits: FoldLogits) -> Floats:
        probabilities = np.empty((len(logits.logits), 2))
        for fold in self.folds:
            probabilities[logits.folds == fold] = self._calibration_without(fold).probabilities(logits.of(fold))
        return probabilities

    def score(self) -> Score:
        """The figures of `probabilities`."""
        return Score.of(self.probabilities(), self.labels)

    def accuracies(self) -> list[float]:
        """Accuracy of each fold's `probabilities`."""
        right = self.probabilities().argmax(axis=1) == self.labels
        return [float(right[self.vehicles.folds == fold].mean()) for fold in self.folds]


def assign_folds(labels: npt.NDArray[np.int64], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each image, every class spread evenly."""
    random = np.random.default_rng(seed)
    vehicle_folds = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        vehicle_folds[random.permutation(rows)] = np.arange(len(rows)) % folds
    return vehicle_folds


def out_of_fold(
    hyperparameters: Hyperparameters,
    material: Material,
    scoring: ScoringImages,
    *,
    networks: int,
    device: str = "cpu",
    checkpoints: Path | None = None,
) -> OutOfFold:
    """Train the first `networks` of the `recipe.folds` networks, each without one fold of both channels.

    Unfinished ones continue from `checkpoints`. Each is scoring about its folds, and about `scoring.validation`, which
    decides nothing.
    """
    vehicle_folds = assign_folds(material.real.labels, hyperparameters.folds, hyperparameters.seed)
    other_folds = (
        assign_folds(scoring.others.labels, hyperparameters.folds, hyperparameters.seed)
        if scoring.others
        else np.empty(0, np.int64)
    )
    logits: list[tuple[Floats, Floats, Floats]] = []
    began = time.monotonic()
    for fold in range(networks):
        inside, outside = vehicle_folds == fold, other_folds == fold
        network = fit_members(
            hyperparameters,
            material.where(~inside, ~outside),
            seed=hyperparameters.seed + 1 + fold,
            device=device,
            checkpoints=checkpoints,
            report=_progress(fold, networks, hyperparameters.total_epochs),
        )
        held_out = scoring.real.where(inside), scoring.others and scoring.others.where(outside), scoring.validation
        vehicles, others, validation = (
            logits_of(network, images, mirror=hyperparameters.mirror)
            if images is not None
            else np.empty((0, len(network.rows)))
            for images in held_out
        )
        logits.append((vehicles, others, validation))
        accuracy = float(((vehicles[:, 1] > vehicles[:, 0]) == (held_out[0].labels == 1)).mean())
        print(
            f"Fold[{fold}] accuracy before calibration={accuracy:.6f} after {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return _joined(hyperparameters, material, scoring, logits, vehicle_folds, other_folds)


def _joined(
    hyperparameters: Hyperparameters,
    material: Material,
    scoring: ScoringImages,
    logits: list[tuple[Floats, Floats, Floats]],
    vehicle_folds: npt.NDArray[np.int64],
    other_folds: npt.NDArray[np.int64],
) -> OutOfFold:
    positions, vehicles = _in_order(vehicle_folds, [each for each, _, _ in logits])
    other_positions, others = _in_order(other_folds, [each for _, each, _ in logits])
    return OutOfFold(
        positions,
        material.real.labels[positions],
        FoldLogits(vehicles, vehicle_folds[positions]),
        FoldLogits(others, other_folds[other_positions]) if scoring.others else None,
        [each for _, _, each in logits] if scoring.validation else [],
        hyperparameters.prior,
    )


def _in_order(folds: npt.NDArray[np.int64], logits: list[Floats]) -> tuple[npt.NDArray[np.int64], Floats]:
    """Positions of the images that were held out, in their channel's order, and their logits in the same order."""
    positions = np.concatenate([np.flatnonzero(folds == fold) for fold in range(len(logits))])
    order = np.argsort(positions)
    return positions[order], np.concatenate(logits)[order]


def _progress(fold: int, networks: int, epochs: int) -> EpochReport:
    """Print a fold's progress, in a form that no metric definition matches: those are for the final network."""
    began = time.monotonic()

    def report(epoch: int, _network: VehicleNet, loss: float) -> None:
        passed = time.monotonic() - began
        position = f"fold {fold + 1} of {networks}, {epoch + 1} of {epochs} epochs"
        print(f"{position}, loss {loss:.4f}, {passed:.0f} s", flush=True)

    return report


def main(arguments: list[str] | None = None) -> int:
    """Cross-validate the recipe that the options describe, print and write its figures."""
    parser = argparse.ArgumentParser(prog="crossvalidate", description="Cross-validate a recipe; options as of train.")
    parser.add_argument("--out", type=Path, help="where to write figures and out-of-fold logits, as JSON")
    options, rest = parser.parse_known_args(arguments)
    keep_freed_memory()
    try:
        configuration = read_configuration(rest, {})
        material, scoring = training_data.read(configuration)
        held_out = out_of_fold(
            configuration.hyperparameters,
            material,
            scoring,
            networks=configuration.hyperparameters.folds,
            device=configuration.device,
            checkpoints=configuration.checkpoints,
        )
    except VehicleNetError as error:
        print(f"crossvalidate: {error}", file=sys.stderr)
        return 1
    score, neither = held_out.score(), held_out.of_neither()
    print(score)
    print(f"neither: {neither}" if neither else "no images of neither")
    if options.out:
        figures = {
            "recipe": configuration.hyperparameters.to_dict(),
            "score": score.to_dict(),
            "folds": held_out.accuracies(),
        }
        figures |= {"neither": neither.to_dict() if neither else None, "logits": held_out.vehicles.logits.tolist()}
        options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

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

from training.vehicle_net import materials
from training.vehicle_net.calibrate import Calibration, Floats, fit
from training.vehicle_net.data import Asked, Material
from training.vehicle_net.environment import job_of
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.learn import EpochReport, Run, logits_of
from training.vehicle_net.learn import fit as fit_network
from training.vehicle_net.metrics import Accepted, Score
from training.vehicle_net.network import VehicleNet
from training.vehicle_net.recipe import Recipe


@dataclass(frozen=True)
class Answers:
    """Of images that were held out: logits (N, answers) by networks that had not seen them, and folds (N,)."""

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
    answers: Answers
    others: Answers | None
    """Of images that show neither label."""
    elsewhere: list[Floats]
    """Logits (M, answers) of each fold's network for images that belong to no fold."""
    prior: float

    @property
    def folds(self) -> list[int]:
        """The folds that were held out."""
        return [int(fold) for fold in np.unique(self.answers.folds)]

    def calibration(self) -> Calibration:
        """Fitted on all images."""
        return fit(self.answers.logits, self.labels, self.others.logits if self.others else None, self.prior)

    def _calibration_without(self, fold: int) -> Calibration:
        others = self.others.without(fold) if self.others else None
        return fit(self.answers.without(fold), self.labels[self.answers.folds != fold], others, self.prior)

    def probabilities(self) -> Floats:
        """Answers (N, 2), each fold's calibrated on the other folds."""
        return self._calibrated(self.answers)

    def of_neither(self) -> Accepted | None:
        """How many of the held-out images of neither are accepted, each fold's calibrated on the other folds."""
        return Accepted.of(self._calibrated(self.others)) if self.others else None

    def _calibrated(self, answers: Answers) -> Floats:
        probabilities = np.empty((len(answers.logits), 2))
        for fold in self.folds:
            probabilities[answers.folds == fold] = self._calibration_without(fold).probabilities(answers.of(fold))
        return probabilities

    def score(self) -> Score:
        """The figures of `probabilities`."""
        return Score.of(self.probabilities(), self.labels)

    def accuracies(self) -> list[float]:
        """Accuracy of each fold."""
        right = (self.answers.logits[:, 1] > self.answers.logits[:, 0]) == (self.labels == 1)
        return [float(right[self.answers.folds == fold].mean()) for fold in self.folds]


def folds_of(labels: npt.NDArray[np.int64], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each image, every class spread evenly."""
    random = np.random.default_rng(seed)
    assigned = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        assigned[random.permutation(rows)] = np.arange(len(rows)) % folds
    return assigned


def out_of_fold(
    recipe: Recipe,
    material: Material,
    asked: Asked,
    *,
    networks: int,
    device: str = "cpu",
    checkpoints: Path | None = None,
) -> OutOfFold:
    """Train the first `networks` of the `recipe.folds` networks, each without one fold of both channels.

    Unfinished ones continue from `checkpoints`. Each is asked about its folds, and about `asked.elsewhere`, which
    decides nothing.
    """
    assigned = folds_of(material.real.labels, recipe.folds, recipe.seed)
    apart = folds_of(asked.others.labels, recipe.folds, recipe.seed) if asked.others else np.empty(0, np.int64)
    found: list[tuple[Floats, Floats, Floats]] = []
    began = time.monotonic()
    for fold in range(networks):
        inside, outside = assigned == fold, apart == fold
        run = Run(recipe, material.where(~inside, ~outside), seed=recipe.seed + 1 + fold, device=device)
        network = fit_network(run, checkpoints=checkpoints, report=_progress(fold, networks, recipe.epochs))
        held_out = asked.real.where(inside), asked.others and asked.others.where(outside), asked.elsewhere
        mine, others, also = (
            logits_of(network, images, mirror=recipe.mirror) if images is not None else np.empty((0, run.answers))
            for images in held_out
        )
        found.append((mine, others, also))
        accuracy = float(((mine[:, 1] > mine[:, 0]) == (held_out[0].labels == 1)).mean())
        print(f"Fold[{fold}] accuracy={accuracy:.6f} after {time.monotonic() - began:.0f} s", flush=True)
    return _gathered(recipe, material, asked, found, assigned, apart)


def _gathered(
    recipe: Recipe,
    material: Material,
    asked: Asked,
    found: list[tuple[Floats, Floats, Floats]],
    assigned: npt.NDArray[np.int64],
    apart: npt.NDArray[np.int64],
) -> OutOfFold:
    positions, mine = _in_order(assigned, [each for each, _, _ in found])
    places, others = _in_order(apart, [each for _, each, _ in found])
    return OutOfFold(
        positions,
        material.real.labels[positions],
        Answers(mine, assigned[positions]),
        Answers(others, apart[places]) if asked.others else None,
        [also for _, _, also in found] if asked.elsewhere else [],
        recipe.prior,
    )


def _in_order(assigned: npt.NDArray[np.int64], found: list[Floats]) -> tuple[npt.NDArray[np.int64], Floats]:
    """Positions of the images that were held out, in their channel's order, and their logits in the same order."""
    positions = np.concatenate([np.flatnonzero(assigned == fold) for fold in range(len(found))])
    order = np.argsort(positions)
    return positions[order], np.concatenate(found)[order]


def _progress(fold: int, networks: int, epochs: int) -> EpochReport:
    """Say how far a fold is, in words that no metric's expression takes for the final network's."""
    began = time.monotonic()

    def report(epoch: int, _network: VehicleNet, loss: float) -> None:
        passed = time.monotonic() - began
        where = f"fold {fold + 1} of {networks}, {epoch + 1} of {epochs} epochs"
        print(f"{where}, loss {loss:.4f}, {passed:.0f} s", flush=True)

    return report


def main(arguments: list[str] | None = None) -> int:
    """Cross-validate the recipe that the options describe, print and write its figures."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="crossvalidate", description="Cross-validate a recipe; options as of train.")
    parser.add_argument("--out", type=Path, help="where to write figures and out-of-fold logits, as JSON")
    options, rest = parser.parse_known_args(given)
    try:
        job = job_of(rest, {})
        material, asked = materials.read(job)
        found = out_of_fold(
            job.recipe, material, asked, networks=job.recipe.folds, device=job.device, checkpoints=job.checkpoints
        )
    except VehicleNetError as error:
        print(f"crossvalidate: {error}", file=sys.stderr)
        return 1
    score, neither = found.score(), found.of_neither()
    print(score)
    print(f"neither: {neither}" if neither else "no images of neither")
    if options.out:
        figures = {"recipe": job.recipe.to_dict(), "score": score.to_dict(), "folds": found.accuracies()}
        figures |= {"neither": neither.to_dict() if neither else None, "logits": found.answers.logits.tolist()}
        options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

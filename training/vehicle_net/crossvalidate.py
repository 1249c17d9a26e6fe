"""Cross-validation on the training images alone: what a recipe is chosen by and what the calibration is fitted on.

python -m training.vehicle_net.crossvalidate --train DIR --train-lst FILE [--folds 5] [--size 112 ...] [--out FILE]
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.vehicle_net.calibrate import Calibration, Floats, fit
from training.vehicle_net.data import Images, preprocessing, read_channel, rendered_pool, training_preprocessing
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.learn import EpochReport, Run, margins
from training.vehicle_net.learn import fit as fit_network
from training.vehicle_net.metrics import Score
from training.vehicle_net.network import VehicleNet
from training.vehicle_net.recipe import Recipe, add_options, chosen


@dataclass(frozen=True)
class OutOfFold:
    """Of each image that was held out: its position in the channel, its logit difference by a network that had not seen
    it, its label and its fold, all (N,).
    """

    positions: npt.NDArray[np.int64]
    margins: Floats
    labels: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    elsewhere: list[Floats]
    """Logit differences (M,) of each fold's network for images that belong to no fold."""

    def calibration(self) -> Calibration:
        """Fitted on all images."""
        return fit(self.margins, self.labels)

    def probabilities(self) -> Floats:
        """Answers (N, 2), each fold's calibrated on the other folds."""
        probabilities = np.empty((len(self.labels), 2))
        for fold in np.unique(self.folds):
            inside = self.folds == fold
            elsewhere = fit(self.margins[~inside], self.labels[~inside])
            probabilities[inside] = elsewhere.probabilities(self.margins[inside])
        return probabilities

    def score(self) -> Score:
        """The figures of `probabilities`."""
        return Score.of(self.probabilities(), self.labels)

    def accuracies(self) -> list[float]:
        """Accuracy of each fold."""
        right = (self.margins > 0) == (self.labels == 1)
        return [float(right[self.folds == fold].mean()) for fold in np.unique(self.folds)]


def folds_of(labels: npt.NDArray[np.int64], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each image, every class spread evenly."""
    dice = np.random.default_rng(seed)
    assigned = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        assigned[dice.permutation(rows)] = np.arange(len(rows)) % folds
    return assigned


def out_of_fold(
    recipe: Recipe,
    real: Images,
    drawn: Images | None,
    *,
    asked: Images,
    networks: int,
    device: str = "cpu",
    checkpoints: Path | None = None,
    also: Images | None = None,
) -> OutOfFold:
    """Train the first `networks` of the `recipe.folds` networks, each without one fold.

    Unfinished ones continue from `checkpoints`. Each is asked about its fold in `asked`, which are the images of `real`
    at the size at which the network answers, and about `also`, which decides nothing.
    """
    assigned = folds_of(real.labels, recipe.folds, recipe.seed)
    found, elsewhere = np.empty(len(real)), []
    began = time.monotonic()
    for fold in range(networks):
        inside = assigned == fold
        run = Run(recipe, real.where(~inside), drawn, seed=recipe.seed + 1 + fold, device=device)
        network = fit_network(run, checkpoints=checkpoints, report=_progress(fold, networks, recipe.epochs))
        held_out = asked.where(inside)
        found[inside] = margins(network, held_out, mirror=recipe.mirror)
        if also is not None:
            elsewhere.append(margins(network, also, mirror=recipe.mirror))
        accuracy = float(((found[inside] > 0) == (held_out.labels == 1)).mean())
        print(f"Fold[{fold}] accuracy={accuracy:.6f} after {time.monotonic() - began:.0f} s", flush=True)
    held = np.flatnonzero(assigned < networks)
    return OutOfFold(held, found[held], real.labels[held], assigned[held], elsewhere)


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
    parser = argparse.ArgumentParser(prog="crossvalidate", description="Cross-validate a recipe on the train channel.")
    parser.add_argument("--train", type=Path, required=True, help="directory of images")
    parser.add_argument("--train-lst", type=Path, required=True, help="its .lst file")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, help="where to write figures and out-of-fold margins, as JSON")
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        recipe = chosen(options, {})
        found = out_of_fold(
            recipe,
            read_channel(options.train, options.train_lst, training_preprocessing(recipe)),
            rendered_pool(recipe),
            asked=read_channel(options.train, options.train_lst, preprocessing(recipe)),
            networks=recipe.folds,
            device=options.device,
        )
    except VehicleNetError as error:
        print(f"crossvalidate: {error}", file=sys.stderr)
        return 1
    score = found.score()
    print(score)
    if options.out:
        figures = {"recipe": recipe.to_dict(), "score": score.to_dict(), "folds": found.accuracies()}
        options.out.write_text(json.dumps({**figures, "margins": found.margins.tolist()}, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

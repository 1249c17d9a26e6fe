"""Measure trained models and write docs/model-card.md with its figures.

python -m training.vehicle_net.evaluate --train DIR --train-lst FILE --test DIR --test-lst FILE
                                        [--other-test DIR --other-test-lst FILE] [--photographs DIR]
                                        [--model-dir DIR] [--others DIR ...] [--card docs/model-card.md]

`--photographs` names a directory with a directory for each label and one named `neither`.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.serving.model import Preprocessing
from training.vehicle_net import card, near_duplicates, neither
from training.vehicle_net.channels import SCORING_SEEDS, Images, read_channel, rendered, resized
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.inference import predict, session_of
from training.vehicle_net.metrics import Accepted, Score, reliability
from training.vehicle_net.package import SHIPPED, check
from training.vehicle_net.robustness import disturbed
from training.vehicle_net.speed import Speed, measure

RENDERED = 1000
STORED = Preprocessing(32)
"""The staged images as they are."""


@dataclass(frozen=True)
class Model:
    """A model directory, loaded."""

    directory: Path
    description: dict[str, Any]

    @classmethod
    def at(cls, directory: Path) -> "Model":
        """Read model.json. Raises IncompleteModel."""
        check(directory)
        return cls(directory, json.loads((directory / "model.json").read_text(encoding="utf-8")))

    @property
    def spec(self) -> Preprocessing:
        """How its images are brought to size."""
        return Preprocessing.from_dict(self.description["preprocessing"])

    def probabilities(self, images: Images) -> npt.NDArray[np.float32]:
        """Predictions for images as they are stored."""
        return self.predict(resized(images, self.spec).pixels)

    def predict(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities (N, 2) of pixels at the size of its input."""
        return predict(session_of(self.directory / "model.onnx", threads=2), pixels)


@dataclass(frozen=True)
class Evaluation:
    """All that the card says about one model."""

    model: Model
    official: Score
    without_near_duplicates: Score
    rendered: Score
    near_duplicates: int
    confusion: npt.NDArray[np.int64]
    bins: list[tuple[float, float, float]]
    robustness: list[tuple[str, float, Score]]
    speed: Speed
    size: int
    other_seeds: list[Score]
    small: Score
    neither: list[tuple[str, Accepted]]
    photographs: Score | None


def confusion_matrix(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Counts [label, predicted label]."""
    counts = np.zeros((2, 2), np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def evaluate(
    model: Model,
    train: Images,
    test: Images,
    others: list[Model],
    *,
    other_test: Images | None = None,
    photographs: Path | None = None,
) -> Evaluation:
    """Measure everything; `train`, `test` and `other_test` as they are stored."""
    rendered_vehicles = rendered(RENDERED, SCORING_SEEDS, STORED, workers=2)
    small = rendered(RENDERED, SCORING_SEEDS + RENDERED, Preprocessing(model.spec.size), side=128, workers=2, far=1.0)
    accepted = list(neither.accepted_by_kind(model.probabilities, other_test))
    photographs_score = None
    if photographs is not None:
        first, second = model.description["labels"]
        photographs_score, rows = neither.score_photographs(photographs, (first, second), model.spec, model.predict)
        accepted += rows
    predictions = model.probabilities(test)
    distinct = near_duplicates.highest_correlation(test, train) < near_duplicates.NEAR_DUPLICATE_CORRELATION
    return Evaluation(
        model=model,
        official=Score.of(predictions, test.labels),
        without_near_duplicates=Score.of(predictions[distinct], test.labels[distinct]),
        rendered=Score.of(model.probabilities(rendered_vehicles), rendered_vehicles.labels),
        near_duplicates=int((~distinct).sum()),
        confusion=confusion_matrix(predictions, test.labels),
        bins=reliability(predictions, test.labels),
        robustness=[
            (name, severity, Score.of(model.probabilities(degraded), degraded.labels))
            for name, severity, degraded in disturbed(test)
        ],
        speed=measure(model.directory / "model.onnx", model.spec, test),
        size=(model.directory / "model.onnx").stat().st_size,
        other_seeds=[Score.of(other.probabilities(test), test.labels) for other in others],
        small=Score.of(model.predict(small.pixels), small.labels),
        neither=accepted,
        photographs=photographs_score,
    )


def main(arguments: list[str] | None = None) -> int:
    """Evaluate and write the card."""
    parser = argparse.ArgumentParser(prog="evaluate", description="Measure a model and write its card.")
    for channel in ("train", "test"):
        parser.add_argument(f"--{channel}", type=Path, required=True, help="directory of images")
        parser.add_argument(f"--{channel}-lst", type=Path, required=True, help="its .lst file")
    parser.add_argument("--other-test", type=Path, help="directory of images of other classes, not trained on")
    parser.add_argument("--other-test-lst", type=Path, help="its .lst file")
    parser.add_argument("--photographs", type=Path, help="directory of photographs by label, and of neither")
    parser.add_argument("--model-dir", type=Path, default=SHIPPED)
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="models of other seeds, same recipe")
    parser.add_argument("--card", type=Path, default=Path("docs/model-card.md"))
    options = parser.parse_args(arguments)
    try:
        train = read_channel(options.train, options.train_lst, STORED)
        test = read_channel(options.test, options.test_lst, STORED)
        other_test = None
        if options.other_test and options.other_test_lst:
            other_test = read_channel(options.other_test, options.other_test_lst, STORED, labelled=False)
        evaluation = evaluate(
            Model.at(options.model_dir),
            train,
            test,
            [Model.at(other) for other in options.others],
            other_test=other_test,
            photographs=options.photographs,
        )
    except VehicleNetError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    card.write(evaluation, options.card)
    print(evaluation.official)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

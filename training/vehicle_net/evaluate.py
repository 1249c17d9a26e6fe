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

from training.serving.preprocessing import Preprocessing
from training.vehicle_net import card, near_duplicates, neither
from training.vehicle_net.corrupt import disturbed
from training.vehicle_net.data import SCORING_SEEDS, Images, brought_to_size, read_channel, rendered
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.inference import answers, session_of
from training.vehicle_net.metrics import Accepted, Score, reliability
from training.vehicle_net.package import SHIPPED, check
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
        """Answers for images as they are stored."""
        return self.answer(brought_to_size(images, self.spec).pixels)

    def answer(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities (N, 2) of pixels at the size at which the network answers."""
        return answers(session_of(self.directory / "model.onnx", threads=2), pixels)


@dataclass(frozen=True)
class Evaluation:
    """All that the card says about one model."""

    model: Model
    official: Score
    apart: Score
    drawn: Score
    near_duplicates: int
    confusion: npt.NDArray[np.int64]
    bins: list[tuple[float, float, float]]
    robustness: list[tuple[str, float, Score]]
    speed: Speed
    size: int
    others: list[Score]
    small: Score
    neither: list[tuple[str, Accepted]]
    photographs: Score | None


def confusion_of(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Counts [truth, answer]."""
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
    drawn = rendered(RENDERED, SCORING_SEEDS, STORED, workers=2)
    small = rendered(RENDERED, SCORING_SEEDS + RENDERED, Preprocessing(model.spec.size), side=128, workers=2, far=1.0)
    accepted = list(neither.accepted_by_kind(model.probabilities, other_test))
    shown = None
    if photographs is not None:
        first, second = model.description["labels"]
        shown, rows = neither.photographs_scored(photographs, (first, second), model.spec, model.answer)
        accepted += rows
    given = model.probabilities(test)
    single = near_duplicates.likeness(test, train) < near_duplicates.ALIKE
    return Evaluation(
        model=model,
        official=Score.of(given, test.labels),
        apart=Score.of(given[single], test.labels[single]),
        drawn=Score.of(model.probabilities(drawn), drawn.labels),
        near_duplicates=int((~single).sum()),
        confusion=confusion_of(given, test.labels),
        bins=reliability(given, test.labels),
        robustness=[
            (name, severity, Score.of(model.probabilities(spoilt), spoilt.labels))
            for name, severity, spoilt in disturbed(test)
        ],
        speed=measure(model.directory / "model.onnx", model.spec, test),
        size=(model.directory / "model.onnx").stat().st_size,
        others=[Score.of(other.probabilities(test), test.labels) for other in others],
        small=Score.of(model.answer(small.pixels), small.labels),
        neither=accepted,
        photographs=shown,
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
        found = evaluate(
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
    card.write(found, options.card)
    print(found.official)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

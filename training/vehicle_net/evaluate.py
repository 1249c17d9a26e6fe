"""Measure trained models and write docs/model-card.md with its figures.

python -m training.vehicle_net.evaluate --train DIR --train-lst FILE --test DIR --test-lst FILE
                                        [--model-dir DIR] [--others DIR ...] [--card docs/model-card.md]
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
from training.vehicle_net import card, twins
from training.vehicle_net.answering import answers, session_of
from training.vehicle_net.corrupt import disturbed
from training.vehicle_net.data import SCORING_SEEDS, Images, brought_to_size, read_channel, rendered
from training.vehicle_net.errors import VehicleNetError
from training.vehicle_net.metrics import Score, reliability
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
        session = session_of(self.directory / "model.onnx", threads=2)
        return answers(session, brought_to_size(images, self.spec).pixels)


@dataclass(frozen=True)
class Evaluation:
    """All that the card says about one model."""

    model: Model
    official: Score
    apart: Score
    drawn: Score
    twins: int
    confusion: npt.NDArray[np.int64]
    bins: list[tuple[float, float, float]]
    robustness: list[tuple[str, float, Score]]
    speed: Speed
    size: int
    others: list[Score]


def confusion_of(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Counts [truth, answer]."""
    counts = np.zeros((2, 2), np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def evaluate(model: Model, train: Images, test: Images, others: list[Model]) -> Evaluation:
    """Measure everything; `train` and `test` as they are stored."""
    drawn = rendered(RENDERED, SCORING_SEEDS, STORED, workers=2)
    given = model.probabilities(test)
    single = twins.likeness(test, train) < twins.ALIKE
    return Evaluation(
        model=model,
        official=Score.of(given, test.labels),
        apart=Score.of(given[single], test.labels[single]),
        drawn=Score.of(model.probabilities(drawn), drawn.labels),
        twins=int((~single).sum()),
        confusion=confusion_of(given, test.labels),
        bins=reliability(given, test.labels),
        robustness=[
            (name, severity, Score.of(model.probabilities(spoilt), spoilt.labels))
            for name, severity, spoilt in disturbed(test)
        ],
        speed=measure(model.directory / "model.onnx", model.spec, test),
        size=(model.directory / "model.onnx").stat().st_size,
        others=[Score.of(other.probabilities(test), test.labels) for other in others],
    )


def main(arguments: list[str] | None = None) -> int:
    """Evaluate and write the card."""
    parser = argparse.ArgumentParser(prog="evaluate", description="Measure a model and write its card.")
    for channel in ("train", "test"):
        parser.add_argument(f"--{channel}", type=Path, required=True, help="directory of images")
        parser.add_argument(f"--{channel}-lst", type=Path, required=True, help="its .lst file")
    parser.add_argument("--model-dir", type=Path, default=SHIPPED)
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="models of other seeds, same recipe")
    parser.add_argument("--card", type=Path, default=Path("docs/model-card.md"))
    options = parser.parse_args(arguments)
    try:
        train = read_channel(options.train, options.train_lst, STORED)
        test = read_channel(options.test, options.test_lst, STORED)
        found = evaluate(Model.at(options.model_dir), train, test, [Model.at(other) for other in options.others])
    except VehicleNetError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    card.write(found, options.card)
    print(found.official)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

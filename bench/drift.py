"""How often drift is announced where there is none, and how often it is found where there is some.

python -m bench.drift [--model DIR] [--runs 200] [--window 500] [--share 0.3] [--pool 3000] [--workers 2] [--json FILE]
                      [--answers CSV --images DIR]

Rendered vehicles, none of them a training image, are drawn and answered once. Each run then draws a baseline of 1,000
and, apart from it, a window of so many at random; of a drifted window a share is replaced by degraded pictures or by
cars. With --answers and --images the undrifted runs are repeated on the model's out-of-fold answers for real images.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from monitoring import drift
from monitoring.baseline import Baseline
from monitoring.drift import Verdict
from monitoring.images import ImageStatistics, measure, measure_pixels
from monitoring.window import Window
from training.data.synthetic import Severity, render
from training.serving.model import Model, load
from training.serving.preprocess import to_pixels

SHIPPED = Path(__file__).parents[1] / "training" / "vehicle_net" / "shipped"
FIRST_SEED = 70_000_000  # training draws from 10,000,000 on and scores from 50,000,000 on
BASELINE = 1000
THRESHOLD = 0.94
SIDE = 32
CAR = 2
DRIFTS: dict[str, Severity | None] = {
    "night 0.4": Severity(night=0.4),
    "night 0.7": Severity(night=0.7),
    "blur 0.3": Severity(blur=0.3),
    "blur 0.6": Severity(blur=0.6),
    "cars": None,
}


@dataclass(frozen=True)
class Answers:
    """Answered images: confidences, predicted labels, whether right (all (N,)), and the images' statistics."""

    confidences: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int8]
    right: npt.NDArray[np.bool_]
    images: tuple[ImageStatistics, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, rows: npt.NDArray[np.int64]) -> "Answers":
        """The rows named."""
        images = tuple(self.images[row] for row in rows)
        return Answers(self.confidences[rows], self.labels[rows], self.right[rows], images)

    def __add__(self, other: "Answers") -> "Answers":
        return Answers(
            np.concatenate([self.confidences, other.confidences]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.right, other.right]),
            self.images + other.images,
        )

    def baseline(self) -> Baseline:
        """These as the baseline."""
        return Baseline.of(
            self.confidences, self.labels, self.images, source="drawn at random", accuracy=float(self.right.mean())
        )

    def window(self) -> Window:
        """These as what was captured."""
        return Window(np.arange(len(self), dtype=np.float64), self.confidences, self.labels, self.images)


@dataclass(frozen=True)
class Outcome:
    """Of so many runs: the share of each verdict, and by how much the estimated accuracy was off."""

    name: str
    runs: int
    stable: float
    watch: float
    drifted: float
    accuracy: float
    estimate: float
    mean_error: float
    worst_error: float
    covered: float


_MODEL: Model | None = None


def _open(model: Path) -> None:
    global _MODEL  # noqa: PLW0603 - one network for each worker
    _MODEL = load(model)


def _answer(task: tuple[int, int, Severity | None]) -> tuple[float, float, ImageStatistics]:
    seed, kind, severity = task
    pixels = render(kind, seed, SIDE, severity)
    assert _MODEL is not None  # noqa: S101 - the initializer has loaded it
    bicycle, motorcycle = _MODEL.predict(to_pixels(Image.fromarray(pixels), _MODEL.preprocessing))
    return bicycle, motorcycle, measure_pixels(pixels, float(SIDE))


def pools(model: Path, size: int, workers: int) -> Iterator[tuple[str, Answers]]:
    """Render and answer the undrifted pool, and one of a third of its size for each drift."""
    seed = FIRST_SEED
    with Pool(workers, _open, (model,)) as pool:
        for name, severity in {"undrifted": None, **DRIFTS}.items():
            count = size if name == "undrifted" else size // 3
            kinds = [CAR if name == "cars" else row % 2 for row in range(count)]
            tasks = [(seed + row, kind, severity) for row, kind in enumerate(kinds)]
            seed += count
            yield name, _answers(pool.map(_answer, tasks, chunksize=32), kinds)


def _answers(found: list[tuple[float, float, ImageStatistics]], truth: list[int]) -> Answers:
    probabilities = np.array([each[:2] for each in found], np.float64)
    labels = probabilities.argmax(axis=1).astype(np.int8)
    images = tuple(each[2] for each in found)
    return Answers(probabilities.max(axis=1), labels, labels == np.array(truth), images)


def real(answers: Path, images: Path) -> Answers:
    """Out-of-fold answers for real images."""
    found, truth = [], []
    with answers.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            statistics = measure((images / row["file"]).read_bytes())
            if statistics is not None:
                found.append((float(row["bicycle"]), float(row["motorcycle"]), statistics))
                truth.append(int(row["label"]))
    return _answers(found, truth)


def measured(
    name: str,
    usual: Answers,
    strange: Answers | None,
    *,
    runs: int,
    window: int,
    share: float,
    baseline: int = BASELINE,
) -> Outcome:
    """Look at so many windows, each with a baseline of its own."""
    verdicts: list[Verdict] = []
    off, covered, accuracies, estimates = [], [], [], []
    for run in range(runs):
        dice = np.random.default_rng(run)
        rows = dice.permutation(len(usual))
        replaced = round(window * share) if strange else 0
        seen = usual.at(rows[baseline : baseline + window - replaced])
        if strange:
            seen += strange.at(dice.choice(len(strange), replaced, replace=False))
        report = drift.look(seen.window(), usual.at(rows[:baseline]).baseline(), THRESHOLD)
        verdicts.append(report.verdict)
        truth, estimate = float(seen.right.mean()), report.estimated_accuracy
        assert estimate is not None  # noqa: S101 - no window is empty
        off.append(abs(estimate.value - truth))
        covered.append(estimate.low <= truth <= estimate.high)
        accuracies.append(truth)
        estimates.append(estimate.value)
    shares = {verdict: sum(each is verdict for each in verdicts) / runs for verdict in Verdict}
    return Outcome(
        name,
        runs,
        shares[Verdict.STABLE],
        shares[Verdict.WATCH],
        shares[Verdict.DRIFTED],
        float(np.mean(accuracies)),
        float(np.mean(estimates)),
        float(np.mean(off)),
        max(off),
        float(np.mean(covered)),
    )


def _tell(outcome: Outcome) -> None:
    print(
        f"{outcome.name:28} stable {outcome.stable:6.1%}  watch {outcome.watch:6.1%}  drifted {outcome.drifted:6.1%}   "
        f"accuracy {outcome.accuracy:.3f} estimated {outcome.estimate:.3f}, "
        f"off by {outcome.mean_error:.3f} on average, {outcome.worst_error:.3f} at worst, "
        f"in its interval {outcome.covered:.1%}",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(prog="bench.drift", description="Measure false alarms and detection of drift.")
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--window", type=int, default=500)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--answers", type=Path, help="out_of_fold.csv of the model's training")
    parser.add_argument("--images", type=Path, help="the folder of its training images")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args(arguments)
    if given.pool < BASELINE + given.window:
        parser.error(f"--pool must be {BASELINE} for the baseline and --window more at least")
    began = time.monotonic()
    how: dict[str, Any] = {"runs": given.runs, "window": given.window, "share": given.share}
    outcomes, usual = [], None
    for name, pool in pools(given.model, given.pool, given.workers):
        usual = usual or pool
        outcomes.append(measured(name, usual, None if pool is usual else pool, **how))
        _tell(outcomes[-1])
    if given.answers and given.images:
        answered = real(given.answers, given.images)
        outcomes.append(measured("undrifted, real images", answered, None, **how, baseline=len(answered) // 2))
        _tell(outcomes[-1])
    print(f"{time.monotonic() - began:.0f} s")
    if given.json:
        given.json.write_text(json.dumps([asdict(each) for each in outcomes], indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

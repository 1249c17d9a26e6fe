"""How often drift is announced where there is none, and how often it is found where there is some.

python -m bench.drift [--model DIR] [--photographs DIR] [--runs 200] [--window 500] [--share 0.3] [--pool 6000]
                      [--seed 10000] [--workers 2] [--json FILE]

Rendered vehicles, none of them a training image, are drawn and answered once. Each run then draws a baseline and, apart
from it, a window of so many at random; of a drifted window a share is replaced by degraded pictures or by cars. The
baseline holds 1,000 answers, or 100 with the looks of 1,000 images as the shipped one for photographs does.

--photographs names a folder of staged training images. The network has learnt them, so its confidences are higher than
for new ones, but as much so in the baseline as in the window: false alarms are measured, the estimate is not.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from monitoring import drift
from monitoring.baseline import Baseline, Known
from monitoring.drift import Verdict
from monitoring.evaluation import Rate
from monitoring.image_statistics import ImageStatistics, measure_pixels
from monitoring.window import Window
from training.data.synthetic import Severity, degrade, render
from training.serving.model import Model, load
from training.serving.preprocessing import to_pixels

SHIPPED = Path(__file__).parents[1] / "training" / "vehicle_net" / "shipped"
FIRST_SEED = 90_000_000
"""Training draws from 10,000,000 on, scores from 50,000,000 on; the verdicts' limits were set on 70,000,000."""
BASELINE, FEW = 1000, 100
THRESHOLD = 0.94
SIDE = 32
CAR = 2
WINDOWS = (30, 100, 2000)
"""Sizes of undrifted windows beside the one asked for."""
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

    def baseline(self, answers: int) -> Baseline:
        """These as the baseline, with the confidences of the first so many only."""
        known = Known.of(self.confidences, float(self.right.mean()))
        return Baseline.of(
            self.confidences[:answers], self.labels[:answers], self.images, source="drawn at random", known=known
        )

    def window(self) -> Window:
        """These as what was captured."""
        return Window(np.arange(len(self), dtype=np.float64), self.confidences, self.labels, self.images)


@dataclass(frozen=True)
class Setting:
    """Windows of ``window`` images, a ``share`` of them strange, against baselines of so many images and answers.

    ``fixed`` is the baseline that all runs have in common, where there is one.
    """

    runs: int
    window: int
    share: float
    seed: int
    images: int = BASELINE
    answers: int = BASELINE
    fixed: Baseline | None = None


@dataclass(frozen=True)
class Outcome:
    """Of so many runs: the share of each verdict, and by how much the estimated accuracy was off."""

    name: str
    runs: int
    window: int
    stable: float
    watch: float
    drifted: float
    accuracy: float
    estimate: float
    mean_error: float
    worst_error: float
    within_3_points: float
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


def _answer_photograph(task: tuple[Path, int, Severity | None]) -> tuple[float, float, ImageStatistics]:
    path, seed, severity = task
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    pixels = degrade(pixels, severity, seed) if severity else pixels
    assert _MODEL is not None  # noqa: S101 - the initializer has loaded it
    bicycle, motorcycle = _MODEL.predict(to_pixels(Image.fromarray(pixels), _MODEL.preprocessing))
    return bicycle, motorcycle, measure_pixels(pixels, float(np.sqrt(pixels.shape[0] * pixels.shape[1])))


def rendered(model: Path, size: int, workers: int) -> Iterator[tuple[str, Answers]]:
    """Render and answer the undrifted pool, and one of a sixth of its size for each drift."""
    seed = FIRST_SEED
    with Pool(workers, _open, (model,)) as pool:
        for name, severity in {"undrifted": None, **DRIFTS}.items():
            count = size if name == "undrifted" else size // 6
            kinds = [CAR if name == "cars" else row % 2 for row in range(count)]
            tasks = [(seed + row, kind, severity) for row, kind in enumerate(kinds)]
            seed += count
            yield name, _answers(pool.map(_answer, tasks, chunksize=32), kinds)


def photographs(model: Path, folder: Path, workers: int) -> Iterator[tuple[str, Answers]]:
    """Answer staged images as they are, and degraded; the listing beside their folder tells what they are."""
    lines = (line.split("\t") for line in folder.with_suffix(".lst").read_text("utf-8").splitlines())
    paths, kinds = zip(*sorted((folder / name, int(label)) for _, label, name in lines), strict=True)
    with Pool(workers, _open, (model,)) as pool:
        for name, severity in {"undrifted": None, **DRIFTS}.items():
            if name == "cars":
                continue
            tasks = [(path, row, severity) for row, path in enumerate(paths)]
            yield name, _answers(pool.map(_answer_photograph, tasks, chunksize=32), kinds)


def _answers(found: list[tuple[float, float, ImageStatistics]], truth: Sequence[int]) -> Answers:
    probabilities = np.array([each[:2] for each in found], np.float64)
    labels = probabilities.argmax(axis=1).astype(np.int8)
    images = tuple(each[2] for each in found)
    return Answers(probabilities.max(axis=1), labels, labels == np.array(truth), images)


def measured(name: str, usual: Answers, strange: Answers | None, how: Setting) -> Outcome:
    """Look at so many windows, each with a baseline of its own unless one is fixed."""
    verdicts: list[Verdict] = []
    off, covered, accuracies, estimates = [], [], [], []
    for run in range(how.runs):
        dice = np.random.default_rng(how.seed + run)
        rows = dice.permutation(len(usual))
        replaced = round(how.window * how.share) if strange else 0
        seen = usual.at(rows[how.images : how.images + how.window - replaced])
        if strange:
            seen += strange.at(dice.choice(len(strange), replaced, replace=False))
        baseline = how.fixed or usual.at(rows[: how.images]).baseline(how.answers)
        report = drift.look(seen.window(), baseline, THRESHOLD)
        verdicts.append(report.verdict)
        truth, estimate = float(seen.right.mean()), report.estimated_accuracy
        assert estimate is not None  # noqa: S101 - no window is empty
        off.append(abs(estimate.value - truth))
        covered.append(estimate.low <= truth <= estimate.high)
        accuracies.append(truth)
        estimates.append(estimate.value)
    shares = {verdict: sum(each is verdict for each in verdicts) / how.runs for verdict in Verdict}
    return Outcome(
        name,
        how.runs,
        how.window,
        shares[Verdict.STABLE],
        shares[Verdict.WATCH],
        shares[Verdict.DRIFTED],
        float(np.mean(accuracies)),
        float(np.mean(estimates)),
        float(np.mean(off)),
        max(off),
        float(np.mean([each <= 0.03 for each in off])),
        float(np.mean(covered)),
    )


def outcomes(model: Path, pool: int, workers: int, how: Setting, folder: Path | None) -> Iterator[Outcome]:
    """Measure on rendered vehicles, then on photographs where there are some."""
    usual: Answers | None = None
    for name, answers in rendered(model, pool, workers) if pool else ():
        usual = usual or answers
        strange = None if answers is usual else answers
        yield measured(f"rendered, {name}", usual, strange, how)
        yield measured(f"rendered, {name}, {FEW} answers", usual, strange, _changed(how, answers=FEW))
        if strange is None:
            shipped = Baseline.read(model / "baseline-synthetic.json")
            yield measured("rendered, undrifted, shipped baseline", usual, None, _changed(how, images=0, fixed=shipped))
            for size in WINDOWS:
                yield measured(f"rendered, undrifted, of {size}", usual, None, _changed(how, window=size))
    learnt: Answers | None = None
    for name, answers in photographs(model, folder, workers) if folder else ():
        learnt = learnt or answers
        strange = None if answers is learnt else answers
        yield measured(f"photographs, {name}", learnt, strange, _changed(how, images=500, answers=500))


def _changed(how: Setting, **changes: object) -> Setting:
    return replace(how, **changes)  # type: ignore[arg-type]


def _tell(outcome: Outcome) -> None:
    alarms = Rate.of(round(outcome.runs * (1 - outcome.stable)), outcome.runs)
    print(
        f"{outcome.name:38} {outcome.window:5} stable {outcome.stable:6.1%}  watch {outcome.watch:6.1%}  "
        f"drifted {outcome.drifted:6.1%}  alarms {alarms.low:.1%} to {alarms.high:.1%}   "
        f"accuracy {outcome.accuracy:.3f} estimated {outcome.estimate:.3f}, "
        f"off by {outcome.mean_error:.3f} on average, {outcome.worst_error:.3f} at worst, "
        f"within 0.03 {outcome.within_3_points:.1%}, in its interval {outcome.covered:.1%}",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(prog="bench.drift", description="Measure false alarms and detection of drift.")
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--photographs", type=Path, help="the train folder of a staged data set")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--window", type=int, default=500)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--pool", type=int, default=6000, help="rendered vehicles; 0 for photographs alone")
    parser.add_argument("--seed", type=int, default=10_000, help="of the first run's draw")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args(arguments)
    least = BASELINE + max(given.window, *WINDOWS)
    if 0 < given.pool < least:
        parser.error(f"--pool must be {least} at least: {BASELINE} for the baseline, and the largest window")
    began = time.monotonic()
    how = Setting(given.runs, given.window, given.share, given.seed)
    found = []
    for outcome in outcomes(given.model, given.pool, given.workers, how, given.photographs):
        found.append(outcome)
        _tell(outcome)
    print(f"{time.monotonic() - began:.0f} s")
    if given.json:
        given.json.write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

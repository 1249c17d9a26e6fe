"""How often drift is reported without drift, and how often drift is detected.

Rendered vehicles, none of them a training image, are predicted once. Each run then draws a baseline and, apart from it,
a window at random; of a drifted window a share is replaced by degraded images or by cars. The baseline holds 1,000
predictions, or 100 with the statistics of 1,000 images as the shipped one for photographs does.

Where CIFAR-100's archive is at hand, photographs as well: the network was trained on them, so its confidences are
higher than for new ones, but equally so in the baseline and the window: false alarms are measured, not the estimate.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.results import Claim, Options, Section, Table
from monitoring import drift
from monitoring.baseline import Baseline, CalibrationReference
from monitoring.drift import Verdict
from monitoring.evaluation import Rate
from monitoring.image_statistics import ImageStatistics, measure_pixels
from monitoring.window import InferenceWindow
from training.data.cifar_archive import CifarSource
from training.data.rendering.weather import Severity, degrade
from training.data.staging import stage
from training.data.synthetic import render
from training.serving.model import Model, load, to_pixels
from training.vehicle_net.package import SHIPPED

_FIRST_SEED = 90_000_000
"""Training draws from 10,000,000 on, scores from 50,000,000 on; the verdicts' limits were set on 70,000,000."""
_RUN_SEED = 10_000
_BASELINE, _FEW = 1000, 100
_WINDOW, _SHARE = 500, 0.3
_OTHER_WINDOWS = (30, 100, 2000)
_THRESHOLD = 0.94
_SIDE = 32
_CAR = 2
_VERDICTS = (Verdict.STABLE, Verdict.WATCH, Verdict.DRIFTED)
_DRIFTS: dict[str, Severity | None] = {
    "night 0.4": Severity(night=0.4),
    "night 0.7": Severity(night=0.7),
    "blur 0.3": Severity(blur=0.3),
    "blur 0.6": Severity(blur=0.6),
    "cars": None,
}
Task = tuple[int, int | Path, Severity | None]


@dataclass(frozen=True)
class Predictions:
    """Predicted images: confidences, predicted labels, whether right (all (N,)), and the images' statistics."""

    confidences: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int8]
    right: npt.NDArray[np.bool_]
    images: tuple[ImageStatistics, ...]

    def at(self, rows: npt.NDArray[np.int64]) -> "Predictions":
        """Return some rows."""
        images = tuple(self.images[row] for row in rows)
        return Predictions(self.confidences[rows], self.labels[rows], self.right[rows], images)

    def __add__(self, other: "Predictions") -> "Predictions":
        return Predictions(
            np.concatenate([self.confidences, other.confidences]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.right, other.right]),
            self.images + other.images,
        )

    def baseline(self, count: int) -> Baseline:
        """Return these as the baseline, with the confidences of the first ``count`` only."""
        reference = CalibrationReference.of(self.confidences, float(self.right.mean()))
        return Baseline.of(
            self.confidences[:count], self.labels[:count], self.images, source="random", reference=reference
        )

    def window(self) -> InferenceWindow:
        """Return these as captured inferences."""
        return InferenceWindow(
            np.arange(len(self.labels), dtype=np.float64), self.confidences, self.labels, self.images
        )


@dataclass(frozen=True)
class Setting:
    """``runs`` windows of ``window`` images against baselines of ``images`` images and ``predictions`` predictions.

    ``fixed`` is the baseline that all runs have in common, if any.
    """

    runs: int
    window: int = _WINDOW
    images: int = _BASELINE
    predictions: int = _BASELINE
    fixed: Baseline | None = None


@dataclass(frozen=True)
class DriftFigures:
    """Over all runs: the share of each verdict, true and estimated accuracy, and the worst error of the estimate."""

    runs: int
    window: int
    stable: float
    watch: float
    drifted: float
    accuracy: float
    estimate: float
    worst_error: float
    within_3_points: float
    in_interval: float


def measure(options: Options) -> Section:
    """Measure on rendered vehicles, then on photographs where the archive is at hand."""
    setting = Setting(20 if options.quick else 200)
    with tempfile.TemporaryDirectory() as name:
        figures = dict(_outcomes(setting, options.archive, Path(name)))
    rows = []
    for title, each in figures.items():
        alarms = Rate.of(round(each.runs * (1 - each.stable)), each.runs)
        rows.append(
            (title, each.window, f"{each.stable:.1%}", f"{each.watch:.1%}", f"{each.drifted:.1%}",
             f"{alarms.low:.1%} to {alarms.high:.1%}", f"{each.accuracy:.3f}", f"{each.estimate:.3f}",
             f"{each.worst_error:.3f}", f"{each.within_3_points:.1%}", f"{each.in_interval:.1%}")
        )  # fmt: skip
    header = ["images", "window", "stable", "watch", "drifted", "alarms, 95 % interval", "true accuracy", "estimated",
              "error at worst", "within 3 points", "in its interval"]  # fmt: skip
    undrifted = figures["rendered, undrifted"]
    claims = [
        Claim("share of undrifted windows that alarm", round(1 - undrifted.stable, 3), 0.05),
        Claim(
            "share of drifted windows that alarm, at least",
            min(1 - each.stable for title, each in figures.items() if "undrifted" not in title),
            0.95,
            at_least=True,
        ),
    ]
    method = (
        f"{setting.runs} seeded runs of each, every one against a baseline drawn for it from other images. Of drifted "
        f"windows {_SHARE:.0%} are degraded, or cars. Photographs are the network's training images."
    )
    return Section(
        "Drift", method, [Table.of(header, rows)], claims, {name: asdict(each) for name, each in figures.items()}
    )


def _outcomes(setting: Setting, archive: Path | None, scratch: Path) -> Iterator[tuple[str, DriftFigures]]:
    pool = 6000 if setting.runs >= 100 else _BASELINE + max(_OTHER_WINDOWS)
    usual: Predictions | None = None
    for name, predictions in _predicted(_rendered(pool)):
        usual = usual or predictions
        strange = None if predictions is usual else predictions
        yield f"rendered, {name}", _simulate(usual, strange, setting)
        yield f"rendered, {name}, {_FEW} predictions", _simulate(usual, strange, replace(setting, predictions=_FEW))
        if strange is None:
            shipped = replace(setting, images=0, fixed=Baseline.read(SHIPPED / "baseline-synthetic.json"))
            yield "rendered, undrifted, shipped baseline", _simulate(usual, None, shipped)
            for size in _OTHER_WINDOWS:
                yield f"rendered, undrifted, of {size:,}", _simulate(usual, None, replace(setting, window=size))
    if archive is None:
        return
    stage(CifarSource(archive), scratch / "staged")
    learnt: Predictions | None = None
    for name, predictions in _predicted(_photographs(scratch / "staged" / "train")):
        learnt = learnt or predictions
        strange = None if predictions is learnt else predictions
        yield f"photographs, {name}", _simulate(learnt, strange, replace(setting, images=500, predictions=500))


def _rendered(count: int) -> Iterator[tuple[str, list[Task], list[int]]]:
    """Yield the undrifted tasks, and a sixth of their number for each drift, with the true labels."""
    seed = _FIRST_SEED
    for name, severity in {"undrifted": None, **_DRIFTS}.items():
        size = count if name == "undrifted" else count // 6
        labels = [_CAR if name == "cars" else row % 2 for row in range(size)]
        yield name, [(seed + row, label, severity) for row, label in enumerate(labels)], labels
        seed += size


def _photographs(folder: Path) -> Iterator[tuple[str, list[Task], list[int]]]:
    """Yield staged images as they are, and degraded; the .lst next to their folder has their labels."""
    lines = (line.split("\t") for line in folder.with_suffix(".lst").read_text("utf-8").splitlines())
    paths, labels = zip(*sorted((folder / name, int(label)) for _, label, name in lines), strict=True)
    for name, severity in {"undrifted": None, **_DRIFTS}.items():
        if name != "cars":
            yield name, [(row, path, severity) for row, path in enumerate(paths)], list(labels)


def _predicted(sets: Iterator[tuple[str, list[Task], list[int]]]) -> Iterator[tuple[str, Predictions]]:
    with Pool(2, _load_model) as pool:
        for name, tasks, truth in sets:
            results = pool.map(_predict, tasks, chunksize=32)
            probabilities = np.array([each[:2] for each in results], np.float64)
            labels = probabilities.argmax(axis=1).astype(np.int8)
            images = tuple(each[2] for each in results)
            yield name, Predictions(probabilities.max(axis=1), labels, labels == np.array(truth), images)


_model: Model | None = None


def _load_model() -> None:
    global _model  # noqa: PLW0603 - one network for each worker
    _model = load(SHIPPED)


def _predict(task: Task) -> tuple[float, float, ImageStatistics]:
    seed, source, severity = task
    if isinstance(source, Path):
        with Image.open(source) as image:
            pixels = np.asarray(image.convert("RGB"))
        pixels = degrade(pixels, severity, seed) if severity else pixels
    else:
        pixels = render(source, seed, _SIDE, severity)
    assert _model is not None  # noqa: S101 - the initializer has loaded it
    first, second = _model.predict(to_pixels(Image.fromarray(pixels), _model.preprocessing))
    return first, second, measure_pixels(pixels, float(np.sqrt(pixels.shape[0] * pixels.shape[1])))


def _simulate(usual: Predictions, strange: Predictions | None, setting: Setting) -> DriftFigures:
    """Compare so many windows, each with its own baseline unless one is fixed."""
    verdicts: list[Verdict] = []
    rows = []
    for run in range(setting.runs):
        generator = np.random.default_rng(_RUN_SEED + run)
        order = generator.permutation(len(usual.labels))
        replaced = round(setting.window * _SHARE) if strange else 0
        window = usual.at(order[setting.images : setting.images + setting.window - replaced])
        if strange:
            window += strange.at(generator.choice(len(strange.labels), replaced, replace=False))
        baseline = setting.fixed or usual.at(order[: setting.images]).baseline(setting.predictions)
        report = drift.compare(window.window(), baseline, _THRESHOLD)
        verdicts.append(report.verdict)
        truth, estimate = float(window.right.mean()), report.estimated_accuracy
        assert estimate is not None  # noqa: S101 - no window is empty
        rows.append((truth, estimate.value, abs(estimate.value - truth), estimate.low <= truth <= estimate.high))
    stable, watch, drifted = (verdicts.count(each) / setting.runs for each in _VERDICTS)
    truths, estimates, errors, covered = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return DriftFigures(
        setting.runs, setting.window, stable, watch, drifted, float(truths.mean()), float(estimates.mean()),
        float(errors.max()), float((errors <= 0.03).mean()), float(covered.mean()),
    )  # fmt: skip

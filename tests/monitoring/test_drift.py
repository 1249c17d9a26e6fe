from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitoring import drift
from monitoring.baseline import Baseline, CalibrationReference
from monitoring.drift import DriftReport, Verdict
from monitoring.image_statistics import ImageStatistics
from monitoring.window import InferenceWindow

MEANS = {"brightness": 120.0, "contrast": 50.0, "sharpness": 1.0, "colour": 30.0}


def images(n: int, generator: np.random.Generator, **shift: float) -> tuple[ImageStatistics, ...]:
    rows = {name: generator.normal(mean + shift.get(name, 0), mean / 5, n) for name, mean in MEANS.items()}
    size = shift.get("size", 32.0)
    return tuple(ImageStatistics(size=size, **{name: float(rows[name][i]) for name in MEANS}) for i in range(n))


def window(n: int, seed: int = 1, *, motorcycles: float = 0.5, sure: float = 8, **shift: float) -> InferenceWindow:
    """Confidences of Beta(sure, 0.5) folded to [0.5, 1], as a good network's are."""
    generator = np.random.default_rng(seed)
    confidences = 0.5 + generator.beta(sure, 0.5, n) / 2
    labels = (generator.random(n) < motorcycles).astype(np.int8)
    return InferenceWindow(1.7e9 + np.arange(n, dtype=np.float64), confidences, labels, images(n, generator, **shift))


def baseline(**changes: Any) -> Baseline:
    usual = window(1000, seed=0)
    made = Baseline.of(usual.confidences, usual.labels, usual.images, source="a quiet day")
    return replace(made, **changes)


def verdict(seen: InferenceWindow) -> DriftReport:
    return drift.compare(seen, baseline(), 0.94)


def test_what_looks_the_same_is_stable() -> None:
    report = verdict(window(500))
    assert (report.verdict, report.n) == (Verdict.STABLE, 500)
    assert report.description == "stable: none of 10 signals differs from the baseline"
    assert all(signal.verdict is Verdict.STABLE for signal in report.signals)


@pytest.mark.parametrize(
    ("change", "signal"),
    [
        ({"brightness": -40.0}, "brightness"),
        ({"contrast": 20.0}, "contrast"),
        ({"sharpness": -0.4}, "sharpness"),
        ({"colour": 10.0}, "colour"),
        ({"size": 800.0}, "size"),
        ({"motorcycles": 0.9}, "label mix"),
        ({"sure": 2}, "share below threshold"),
        ({"sure": 2}, "confidence"),
    ],
)
def test_a_signal_that_drifted_is_named_and_no_other(change: dict[str, float], signal: str) -> None:
    report = verdict(window(500, **change))  # type: ignore[arg-type]
    named = {result.name for result in report.signals if result.verdict is Verdict.DRIFTED}
    assert report.verdict is Verdict.DRIFTED
    assert signal in named
    assert named <= {signal, "confidence", "confidence bands", "share below threshold", "share of neither class"}
    assert signal in report.description


def test_a_sure_but_small_difference_is_watched() -> None:
    report = verdict(window(20_000, brightness=3.0))
    assert report.verdict is Verdict.WATCH
    assert "brightness rose" in report.description


def test_chance_alone_seldom_alarms() -> None:
    usual = window(3000, seed=7)
    alarms = 0
    for seed in range(100):
        rows = np.random.default_rng(seed).permutation(3000)
        parts = [
            InferenceWindow(
                usual.times[at], usual.confidences[at], usual.labels[at], tuple(usual.images[i] for i in at)
            )
            for at in (rows[:1000], rows[1000:1500])
        ]
        then = Baseline.of(parts[0].confidences, parts[0].labels, parts[0].images, source="half")
        alarms += drift.compare(parts[1], then, 0.94).verdict is not Verdict.STABLE
    assert alarms <= 5


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (0, "no inference was captured in this time range"),
        (1, "1 inference was captured in this time range: at least 30 are needed for a comparison"),
        (29, "29 inferences were captured in this time range: at least 30 are needed for a comparison"),
    ],
)
def test_too_few_to_tell_is_stated(n: int, sentence: str) -> None:
    report = verdict(window(n))
    assert (report.verdict, report.description, report.signals) == (Verdict.UNKNOWN, sentence, ())


def test_without_a_baseline_nothing_is_compared() -> None:
    report = drift.compare(window(100), None, 0.94)
    assert report.verdict is Verdict.UNKNOWN
    assert "scones baseline" in report.description
    assert report.estimated_accuracy is not None


def test_one_class_only_is_stated_and_drifts() -> None:
    report = verdict(window(100, motorcycles=1.0))
    assert report.verdict is Verdict.DRIFTED
    assert "every prediction is motorcycle" in report.notes[0]


def test_more_images_of_neither_class_are_a_signal_of_their_own() -> None:
    traffic = window(500)
    confidences = traffic.confidences.copy()
    confidences[::10] = 0.52
    usual = {result.name: result for result in verdict(traffic).signals}["share of neither class"]
    cars = {result.name: result for result in verdict(replace(traffic, confidences=confidences)).signals}
    assert usual.verdict is Verdict.STABLE
    assert cars["share of neither class"].verdict is Verdict.DRIFTED
    assert "share of neither class rose from" in cars["share of neither class"].description


def test_all_below_the_threshold_is_stated() -> None:
    seen = window(100)
    low = replace(seen, confidences=np.full(100, 0.6))
    report = verdict(low)
    assert report.verdict is Verdict.DRIFTED
    assert "every confidence is below 0.94" in report.notes[0]


def test_without_images_only_predictions_are_compared() -> None:
    report = verdict(replace(window(100), images=()))
    assert [signal.name for signal in report.signals] == [
        "confidence",
        "confidence bands",
        "share below threshold",
        "share of neither class",
        "label mix",
    ]
    assert "no image was captured" in report.notes[0]


def test_the_estimated_accuracy_is_the_mean_confidence() -> None:
    estimate = verdict(window(1000)).estimated_accuracy
    assert estimate is not None
    assert estimate.value == pytest.approx(window(1000).confidences.mean())
    assert estimate.low < estimate.value < estimate.high


def test_a_baseline_that_was_overconfident_corrects_the_estimate() -> None:
    plain = baseline()
    off = replace(plain, reference=CalibrationReference.of(plain.confidences, float(plain.confidences.mean()) - 0.05))
    estimate = drift.compare(window(1000), off, 0.94).estimated_accuracy
    assert estimate is not None
    assert estimate.value == pytest.approx(window(1000).confidences.mean() - 0.05)


def test_the_interval_of_the_estimate_covers_the_accuracy_of_calibrated_predictions() -> None:
    generator, covered = np.random.default_rng(5), 0
    for seed in range(200):
        seen = window(300, seed=seed)
        truth = (generator.random(300) < seen.confidences).mean()
        estimate = drift.compare(seen, None, 0.94).estimated_accuracy
        assert estimate is not None
        covered += estimate.low <= truth <= estimate.high
    assert 0.9 <= covered / 200 <= 0.99


def test_a_report_is_plain_json() -> None:
    result = verdict(window(40)).to_dict()
    assert result["verdict"] == "stable"
    assert result["signals"][0]["name"] == "confidence"

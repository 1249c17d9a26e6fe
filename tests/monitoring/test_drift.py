from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from monitoring import drift, signals
from monitoring.baseline import Baseline, Known
from monitoring.drift import Timeline, Verdict
from monitoring.image_statistics import ImageStatistics
from monitoring.window import Window

MEANS = {"brightness": 120.0, "contrast": 50.0, "sharpness": 1.0, "colour": 30.0}


def images(n: int, dice: np.random.Generator, **shift: float) -> tuple[ImageStatistics, ...]:
    rows = {name: dice.normal(mean + shift.get(name, 0), mean / 5, n) for name, mean in MEANS.items()}
    size = shift.get("size", 32.0)
    return tuple(ImageStatistics(size=size, **{name: float(rows[name][i]) for name in MEANS}) for i in range(n))


def window(n: int, seed: int = 1, *, motorcycles: float = 0.5, sure: float = 8, **shift: float) -> Window:
    """Confidences of Beta(sure, 0.5) folded to [0.5, 1], as a good network's are."""
    dice = np.random.default_rng(seed)
    confidences = 0.5 + dice.beta(sure, 0.5, n) / 2
    labels = (dice.random(n) < motorcycles).astype(np.int8)
    return Window(1.7e9 + np.arange(n, dtype=np.float64), confidences, labels, images(n, dice, **shift))


def baseline(**changes: Any) -> Baseline:
    usual = window(1000, seed=0)
    made = Baseline.of(usual.confidences, usual.labels, usual.images, source="a quiet day")
    return replace(made, **changes)


def verdict(seen: Window) -> drift.DriftReport:
    return drift.look(seen, baseline(), 0.94)


def test_what_looks_the_same_is_stable() -> None:
    report = verdict(window(500))
    assert (report.verdict, report.n) == (Verdict.STABLE, 500)
    assert report.sentence == "stable: none of 9 signals differs from the baseline"
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
    named = {found.name for found in report.signals if found.verdict is Verdict.DRIFTED}
    assert report.verdict is Verdict.DRIFTED
    assert signal in named
    assert named <= {signal, "confidence", "confidence bands", "share below threshold"}
    assert signal in report.sentence


def test_a_sure_but_small_difference_is_watched() -> None:
    report = verdict(window(20_000, brightness=3.0))
    assert report.verdict is Verdict.WATCH
    assert "brightness rose" in report.sentence


def test_chance_alone_seldom_alarms() -> None:
    usual = window(3000, seed=7)
    alarms = 0
    for seed in range(100):
        rows = np.random.default_rng(seed).permutation(3000)
        parts = [
            Window(usual.times[at], usual.confidences[at], usual.labels[at], tuple(usual.images[i] for i in at))
            for at in (rows[:1000], rows[1000:1500])
        ]
        then = Baseline.of(parts[0].confidences, parts[0].labels, parts[0].images, source="half")
        alarms += drift.look(parts[1], then, 0.94).verdict is not Verdict.STABLE
    assert alarms <= 5


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (0, "no inference was captured in this time"),
        (1, "1 inference was captured in this time: too few to tell, it takes 30"),
        (29, "29 inferences were captured in this time: too few to tell, it takes 30"),
    ],
)
def test_too_few_to_tell_is_said(n: int, sentence: str) -> None:
    report = verdict(window(n))
    assert (report.verdict, report.sentence, report.signals) == (Verdict.UNKNOWN, sentence, ())


def test_without_a_baseline_nothing_is_compared() -> None:
    report = drift.look(window(100), None, 0.94)
    assert report.verdict is Verdict.UNKNOWN
    assert "scones baseline" in report.sentence
    assert report.estimated_accuracy is not None


def test_one_class_only_is_said_and_drifts() -> None:
    report = verdict(window(100, motorcycles=1.0))
    assert report.verdict is Verdict.DRIFTED
    assert "every answer is motorcycle" in report.notes[0]


def test_one_class_then_and_now_is_no_drift_in_the_label_mix() -> None:
    found = signals.label_mix((100, 0), np.zeros(50, np.int8), "motorcycle")
    assert found.p_value == 1


def test_all_below_the_threshold_is_said() -> None:
    seen = window(100)
    low = replace(seen, confidences=np.full(100, 0.6))
    report = verdict(low)
    assert report.verdict is Verdict.DRIFTED
    assert "every confidence is below 0.94" in report.notes[0]


def test_confidences_all_at_one_in_both_are_stable() -> None:
    certain = np.ones(1000)
    found = signals.population_stability("confidence", certain, certain[:100])
    assert (found.statistic, found.p_value) == (0, 1)


def test_without_images_only_answers_are_compared() -> None:
    report = verdict(replace(window(100), images=()))
    assert [signal.name for signal in report.signals] == [
        "confidence",
        "confidence bands",
        "share below threshold",
        "label mix",
    ]
    assert "no image was captured" in report.notes[0]


def test_the_share_below_the_threshold_is_tested_exactly() -> None:
    # Fisher's tea: 3 of 4 against 1 of 4, two-sided p = 34/70 (The Design of Experiments, 1935).
    found = signals.share_below(np.array([0.5, 0.5, 0.5, 0.9]), np.array([0.5, 0.9, 0.9, 0.9]), 0.8)
    assert found.p_value == pytest.approx(34 / 70)


def test_the_stability_index_is_the_sum_over_the_bands() -> None:
    # Two bands, (10, 10) then and (20, 5) now: with a half added p = (.5, .5), q = (20.5, 5.5) / 26.
    then, now = np.repeat([0.6, 0.9], [10, 10]), np.repeat([0.6, 0.9], [20, 5])
    q = 20.5 / 26
    expected = (q - 0.5) * np.log(q / 0.5) + (1 - q - 0.5) * np.log((1 - q) / 0.5)
    assert signals.population_stability("confidence", then, now).statistic == pytest.approx(expected)


def test_the_estimated_accuracy_is_the_mean_confidence() -> None:
    estimate = verdict(window(1000)).estimated_accuracy
    assert estimate is not None
    assert estimate.value == pytest.approx(window(1000).confidences.mean())
    assert estimate.low < estimate.value < estimate.high


def test_a_baseline_that_was_overconfident_corrects_the_estimate() -> None:
    plain = baseline()
    off = replace(plain, known=Known.of(plain.confidences, float(plain.confidences.mean()) - 0.05))
    estimate = drift.look(window(1000), off, 0.94).estimated_accuracy
    assert estimate is not None
    assert estimate.value == pytest.approx(window(1000).confidences.mean() - 0.05)


def test_the_interval_of_the_estimate_covers_the_accuracy_of_calibrated_answers() -> None:
    dice, covered = np.random.default_rng(5), 0
    for seed in range(200):
        seen = window(300, seed=seed)
        truth = (dice.random(300) < seen.confidences).mean()
        estimate = drift.look(seen, None, 0.94).estimated_accuracy
        assert estimate is not None
        covered += estimate.low <= truth <= estimate.high
    assert 0.9 <= covered / 200 <= 0.99


def test_a_report_is_plain_json() -> None:
    found = verdict(window(40)).to_dict()
    assert found["verdict"] == "stable"
    assert found["signals"][0]["name"] == "confidence"


START = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)


def over(seconds: list[float], confidences: list[float], labels: list[int]) -> Window:
    times = np.array([(START + timedelta(seconds=s)).timestamp() for s in seconds])
    return Window(times, np.array(confidences), np.array(labels, np.int8))


def test_a_timeline_bins_by_time_in_any_order() -> None:
    found = Timeline.of(over([121, 0, 3, 1], [0.6, 1.0, 0.95, 0.9], [1, 0, 1, 0]), 0.94, most_bins=4)
    assert (found.width, found.n) == (60, 4)
    assert [each.n for each in found.bins] == [3, 0, 1]
    first, empty, last = found.bins
    assert first.mean == pytest.approx(0.95)
    assert first.share_below == pytest.approx(1 / 3)
    assert first.labels == (2, 1)
    assert (empty.mean, empty.share_below) == (None, None)
    assert empty.rolling_mean == pytest.approx(0.95)
    assert last.rolling_mean == pytest.approx((1 + 0.95 + 0.9 + 0.6) / 4)
    assert last.start <= START + timedelta(seconds=121) < last.end
    assert [point.confidence for point in found.points] == [1.0, 0.9, 0.95, 0.6]


@pytest.mark.parametrize("span", [0, 1, 59, 60, 3600, 86_400, 400 * 86_400, 5000 * 86_400])
def test_a_timeline_never_has_too_many_bins(span: float) -> None:
    found = Timeline.of(over([0, span], [0.9, 0.9], [0, 0]), 0.94)
    assert 1 <= len(found.bins) <= 60
    assert found.n == 2


def test_the_timeline_of_nothing_is_empty() -> None:
    assert Timeline.of(over([], [], []), 0.94).bins == ()


def test_the_timeline_of_one_inference_is_one_bin() -> None:
    (only,) = Timeline.of(over([0], [0.9], [1]), 0.94).bins
    assert (only.n, only.mean, only.low, only.high, only.share_below) == (1, 0.9, 0.9, 0.9, 1.0)

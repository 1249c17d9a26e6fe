import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitoring import plots
from monitoring.baseline import Baseline
from monitoring.drift import compare
from monitoring.timeline import Timeline
from monitoring.window import InferenceWindow

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def timeline(seconds: list[float], confidences: list[float]) -> Timeline:
    times = np.array([(NOON + timedelta(seconds=each)).timestamp() for each in seconds])
    return Timeline.of(InferenceWindow(times, np.array(confidences), np.zeros(len(times), np.int8)), 0.94)


def words(plot: plots.Plot) -> str:
    """All that is written in a plot's axes."""
    return "\n".join(text.get_text() for axes in plot.figure.axes for text in axes.texts)


@pytest.mark.parametrize("seconds", [[], [0.0], [0.0, 0.0], [0.0, 30.0, 86400.0]])
def test_confidence_over_time_draws_whatever_was_captured(seconds: list[float]) -> None:
    plot = plots.confidence_over_time(timeline(seconds, [0.9] * len(seconds)))
    text = {0: "no inference", 1: "1 inference,"}.get(len(seconds), f"{len(seconds)} inferences,")
    assert text in plot.alt
    assert ET.fromstring(plot.svg()).tag.endswith("svg")  # noqa: S314


def test_where_nothing_is_captured_the_plot_says_why() -> None:
    plot = plots.confidence_over_time(Timeline.empty(0.94, "endpoint vehicles has no data capture"))
    assert plot.alt == "Confidence over time: endpoint vehicles has no data capture."
    assert "endpoint vehicles has no data capture" in words(plot).replace("\n", " ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        ([0.0, 30.0], "2026-03-01, UTC"),
        ([0.0, 2 * 86_400.0], "2026-03-01 to 2026-03-03, UTC"),
        ([0.0, 90 * 86_400.0], "2026-03-01 to 2026-05-30, UTC"),
    ],
)
def test_the_axis_of_time_names_its_days(seconds: list[float], text: str) -> None:
    (axes,) = plots.confidence_over_time(timeline(seconds, [0.9, 0.99])).figure.axes
    assert axes.get_xlabel() == text


def test_one_class_only_is_stated_in_the_legend() -> None:
    (legend,) = plots.confidence_over_time(timeline([0.0, 30.0], [0.9, 0.99])).figure.legends
    assert [text.get_text() for text in legend.get_texts()][-2:] == ["bicycle", "no motorcycle"]


@pytest.mark.parametrize("n", [0, 1, 29, 200])
def test_drift_is_drawn_all_data(n: int) -> None:
    generator = np.random.default_rng(0)
    seen = InferenceWindow(1.7e9 + np.arange(n, dtype=np.float64), generator.uniform(0.8, 1, n), np.zeros(n, np.int8))
    quiet = Baseline.of(generator.uniform(0.8, 1, 200), [0] * 200, (), source="a quiet time")
    report = compare(seen, quiet, 0.94)
    plot = plots.drift_signals(report)
    assert plot.alt.endswith(".")
    if report.signals:
        assert words(plot).count("stable, p = ") == len(report.signals)
    else:
        assert report.description in words(plot).replace("\n", " ")

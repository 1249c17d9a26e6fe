import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monitoring import plots
from monitoring.baseline import Baseline
from monitoring.calibration import calibration
from monitoring.drift import look
from monitoring.evaluation import Answer
from monitoring.plots.style import FIRST, SECOND, THRESHOLD, inline
from monitoring.timeline import Timeline
from monitoring.window import Window

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MIXED = [Answer(n % 2, (0.97, 0.03) if (n % 2 == 0) != (n == 7) else (0.1, 0.9)) for n in range(50)]
BICYCLES = [Answer(0, (0.97, 0.03))] * 9
UNSURE = [Answer(n % 2, (0.6, 0.4)) for n in range(9)]
CASES = {"mixed": MIXED, "one class": BICYCLES, "all below": UNSURE, "one record": MIXED[:1], "none": []}

Draw = Callable[[list[Answer]], plots.Plot]
OF_ANSWERS: dict[str, Draw] = {
    "scatter": lambda answers: plots.scatter(answers, 0.94),
    "reliability": lambda answers: plots.reliability(calibration(answers)),
    "confusion": plots.confusion_matrix,
    "threshold": lambda answers: plots.threshold_curve(answers, 0.94),
}


def timeline(seconds: list[float], confidences: list[float]) -> Timeline:
    times = np.array([(NOON + timedelta(seconds=each)).timestamp() for each in seconds])
    return Timeline.of(Window(times, np.array(confidences), np.zeros(len(times), np.int8)), 0.94)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", OF_ANSWERS)
def test_every_plot_draws_whatever_there_is(name: str, case: str) -> None:
    plot = OF_ANSWERS[name](CASES[case])
    assert plot.name == name
    assert plot.alt.endswith(".")
    assert "nan" not in plot.alt
    assert ET.fromstring(plot.svg()).tag.endswith("svg")  # noqa: S314 - drawn here


@pytest.mark.parametrize("seconds", [[], [0.0], [0.0, 0.0], [0.0, 30.0, 86400.0]])
def test_confidence_over_time_draws_whatever_was_captured(seconds: list[float]) -> None:
    plot = plots.confidence_over_time(timeline(seconds, [0.9] * len(seconds)))
    said = {0: "no inference", 1: "1 inference,"}.get(len(seconds), f"{len(seconds)} inferences,")
    assert said in plot.alt
    assert ET.fromstring(plot.svg()).tag.endswith("svg")  # noqa: S314


def test_where_nothing_is_captured_the_plot_says_why() -> None:
    plot = plots.confidence_over_time(Timeline.nothing(0.94, "endpoint vehicles has no data capture"))
    assert plot.alt == "Confidence over time: endpoint vehicles has no data capture."
    assert "endpoint vehicles has no data capture" in words(plot).replace("\n", " ")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ([0.0, 30.0], "2026-03-01, UTC"),
        ([0.0, 2 * 86_400.0], "2026-03-01 to 2026-03-03, UTC"),
        ([0.0, 90 * 86_400.0], "2026-03-01 to 2026-05-30, UTC"),
    ],
)
def test_the_axis_of_time_names_its_days(seconds: list[float], said: str) -> None:
    (axes,) = plots.confidence_over_time(timeline(seconds, [0.9, 0.99])).figure.axes
    assert axes.get_xlabel() == said


def test_one_class_only_is_said_in_the_legend() -> None:
    (legend,) = plots.confidence_over_time(timeline([0.0, 30.0], [0.9, 0.99])).figure.legends
    assert [text.get_text() for text in legend.get_texts()][-2:] == ["bicycle", "no motorcycle"]


@pytest.mark.parametrize("n", [0, 1, 29, 200])
def test_drift_is_drawn_whatever_there_is(n: int) -> None:
    dice = np.random.default_rng(0)
    seen = Window(1.7e9 + np.arange(n, dtype=np.float64), dice.uniform(0.8, 1, n), np.zeros(n, np.int8))
    quiet = Baseline.of(dice.uniform(0.8, 1, 200), [0] * 200, (), source="a quiet time")
    report = look(seen, quiet, 0.94)
    plot = plots.drift_signals(report)
    assert plot.alt.endswith(".")
    if report.signals:
        assert words(plot).count("stable, p = ") == len(report.signals)
    else:
        assert report.sentence in words(plot).replace("\n", " ")


def words(plot: plots.Plot) -> str:
    """All that is written in a plot's axes."""
    return "\n".join(text.get_text() for axes in plot.figure.axes for text in axes.texts)


def test_files_bear_a_title_that_the_page_has_already(tmp_path: Path) -> None:
    plot = plots.scatter(MIXED, 0.94)
    inline_svg = plot.write(tmp_path)
    assert plot.figure.get_suptitle() == "Confidence by true label"
    assert len((tmp_path / "scatter.svg").read_text("utf-8")) > len(inline_svg)


def test_the_scatter_has_the_colours_that_were_asked_for() -> None:
    svg = plots.scatter(MIXED, 0.94).svg()
    assert all(colour in svg for colour in (FIRST, SECOND, THRESHOLD))
    assert "stroke-dasharray" in svg


def test_the_scatters_words_count_the_accepted_and_the_wrong() -> None:
    assert plots.scatter(MIXED, 0.94).alt.endswith("26 of 50 lie at or above the threshold 0.94; 1 answer is wrong.")


def test_the_same_answers_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        plots.scatter(MIXED, 0.94).write(tmp_path / name)
    for file in ("scatter.svg", "scatter.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_png_keeps_its_drawing_inside_its_borders() -> None:
    for draw in OF_ANSWERS.values():
        pixels = np.asarray(Image.open(io.BytesIO(draw(MIXED).png())).convert("RGB"))
        borders = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
        assert all((border == 255).all() for border in borders)


def test_an_inline_drawing_refers_to_nothing_but_itself() -> None:
    svg = inline(plots.scatter(MIXED, 0.94).svg(), "scatter")
    assert "http" not in svg
    root = ET.fromstring(svg)  # noqa: S314
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    links = {value[1:] for element in root.iter() for key, value in element.items() if key == "href"}
    assert links <= ids
    assert f"var(--first, {FIRST})" in svg

import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monitoring import plots
from monitoring.calibration import calibration
from monitoring.evaluate import Answer
from monitoring.plots.style import BICYCLE, MOTORCYCLE, THRESHOLD, inline
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


def test_the_scatter_has_the_colours_that_were_asked_for() -> None:
    svg = plots.scatter(MIXED, 0.94).svg()
    assert all(colour in svg for colour in (BICYCLE, MOTORCYCLE, THRESHOLD))
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
    assert f"var(--bicycle, {BICYCLE})" in svg

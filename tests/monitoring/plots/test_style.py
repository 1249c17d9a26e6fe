import io
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from monitoring import plots
from monitoring.calibration import calibration
from monitoring.evaluation import Prediction
from monitoring.plots import Plot
from monitoring.plots.style import FIRST, inline

MIXED = [Prediction(n % 2, (0.97, 0.03) if (n % 2 == 0) != (n == 7) else (0.1, 0.9)) for n in range(50)]


Draw = Callable[[Sequence[Prediction]], Plot]
PLOTS: dict[str, Draw] = {
    "scatter": lambda predictions: plots.scatter(predictions, 0.94),
    "reliability": lambda predictions: plots.reliability(calibration(predictions)),
    "confusion": plots.confusion_matrix,
    "threshold": lambda predictions: plots.threshold_curve(predictions, 0.94),
}


def test_files_bear_a_title_that_the_page_has_already(tmp_path: Path) -> None:
    plot = plots.scatter(MIXED, 0.94)
    inline_svg = plot.write(tmp_path)
    assert plot.figure.get_suptitle() == "Confidence by true label"
    assert len((tmp_path / "scatter.svg").read_text("utf-8")) > len(inline_svg)


def test_the_same_predictions_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        plots.scatter(MIXED, 0.94).write(tmp_path / name)
    for file in ("scatter.svg", "scatter.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_png_keeps_its_drawing_inside_its_borders() -> None:
    for draw in PLOTS.values():
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

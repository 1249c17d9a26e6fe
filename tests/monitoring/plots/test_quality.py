import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

import pytest

from monitoring import plots
from monitoring.calibration import calibration
from monitoring.evaluation import Prediction
from monitoring.plots import Plot
from monitoring.plots.style import FIRST, SECOND, THRESHOLD

MIXED = [Prediction(n % 2, (0.97, 0.03) if (n % 2 == 0) != (n == 7) else (0.1, 0.9)) for n in range(50)]


BICYCLES = [Prediction(0, (0.97, 0.03))] * 9


UNSURE = [Prediction(n % 2, (0.6, 0.4)) for n in range(9)]


CASES = {"mixed": MIXED, "one class": BICYCLES, "all below": UNSURE, "one record": MIXED[:1], "none": []}


Draw = Callable[[Sequence[Prediction]], Plot]
PLOTS: dict[str, Draw] = {
    "scatter": lambda predictions: plots.scatter(predictions, 0.94),
    "reliability": lambda predictions: plots.reliability(calibration(predictions)),
    "confusion": plots.confusion_matrix,
    "threshold": lambda predictions: plots.threshold_curve(predictions, 0.94),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_draws_all_data(name: str, case: str) -> None:
    plot = PLOTS[name](CASES[case])
    assert plot.name == name
    assert plot.alt.endswith(".")
    assert "nan" not in plot.alt
    assert ET.fromstring(plot.svg()).tag.endswith("svg")  # noqa: S314 - drawn here


def test_the_scatter_has_the_colours_that_were_asked_for() -> None:
    svg = plots.scatter(MIXED, 0.94).svg()
    assert all(colour in svg for colour in (FIRST, SECOND, THRESHOLD))
    assert "stroke-dasharray" in svg


def test_the_scatters_alternative_text_counts_the_accepted_and_the_wrong() -> None:
    assert plots.scatter(MIXED, 0.94).alt.endswith(
        "26 of 50 are at or above the threshold 0.94; 1 prediction is wrong."
    )

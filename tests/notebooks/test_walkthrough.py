"""notebooks/walkthrough.ipynb runs from its first cell to its last, in a local environment that it starts itself."""

import base64
import io
import os
import re
from typing import Any

import platformdirs
import pytest
from PIL import Image

from tests.cli_runner import User
from tests.documents.notebook import NOTEBOOK, with_parameters

nbformat = pytest.importorskip("nbformat", reason="Jupyter is not installed")
nbclient = pytest.importorskip("nbclient", reason="Jupyter is not installed")
pytestmark = [pytest.mark.notebook, pytest.mark.timeout(1800)]

IMAGES = 12


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook with its outputs: rendered images, and one epoch instead of ten."""
    folder = tmp_path_factory.mktemp("reader")
    environment = {
        "SCONES_CACHE": os.environ.get("SCONES_CACHE") or platformdirs.user_cache_dir("scones"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    user = User(folder / "home", environment, folder)
    notebook = nbformat.reads(with_parameters(RENDERED=True, EPOCHS=1, IMAGES=IMAGES), 4)
    client = nbclient.NotebookClient(notebook, timeout=1500, resources={"metadata": {"path": str(NOTEBOOK.parent)}})
    try:
        client.execute(env=user.variables())
    finally:
        user.run("down")
    return notebook


def printed(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


def test_a_model_is_trained_and_served(executed: Any) -> None:
    text = printed(executed)
    assert "1000 training and 200 test images of synthetic" in text
    assert re.search(r"Completed: \{.*'validation:accuracy': 0\.\d+", text)
    assert "scones-vehicles InService" in text


def test_every_image_has_an_outcome_and_a_capture(executed: Any) -> None:
    text = printed(executed)
    outcomes = dict(re.findall(r"^ +(\d+)  (classified|ThresholdConfidenceNotMet)$", text, re.MULTILINE))
    assert sum(map(int, outcomes)) == IMAGES
    assert re.search(rf"accuracy +\d+\.\d%  \(\d+ of {IMAGES};", text)


def test_the_figures_are_drawn(executed: Any) -> None:
    outputs = [output.data for cell in executed.cells for output in cell.get("outputs", ()) if "data" in output]
    figures = [Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) for data in outputs if "image/png" in data]
    assert len(figures) >= 5  # images, accuracy, scatter, confidence over time, thresholds
    assert all(len(figure.convert("RGB").getcolors(1 << 20) or ()) > 10 for figure in figures)


def test_nothing_is_left_running(executed: Any) -> None:
    assert "['scones-vehicles'" in printed(executed)  # deleted

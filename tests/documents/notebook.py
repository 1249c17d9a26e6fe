"""Reads notebooks/walkthrough.ipynb, with the standard library."""

import json
import re
from typing import Any

from tests.documents.markdown import ROOT

NOTEBOOK = ROOT / "notebooks" / "walkthrough.ipynb"


def read() -> dict[str, Any]:
    """Return the notebook as JSON."""
    notebook: dict[str, Any] = json.loads(NOTEBOOK.read_text("utf-8"))
    return notebook


def source(cell: dict[str, Any]) -> str:
    """Return a cell's text."""
    return "".join(cell["source"])


def code_cells() -> list[dict[str, Any]]:
    """Return the cells with code."""
    return [cell for cell in read()["cells"] if cell["cell_type"] == "code"]


def with_parameters(**parameters: object) -> str:
    """Return the notebook's text with other values in its first cell of code. Raises KeyError for an unknown one."""
    notebook = read()
    cell = next(cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", ()))
    text = source(cell)
    for name, value in parameters.items():
        text, count = re.subn(rf"(?m)^{name} = \S+", f"{name} = {value!r}", text)
        if count != 1:
            raise KeyError(name)
    cell["source"] = text
    return json.dumps(notebook)

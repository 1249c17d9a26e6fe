"""Reads notebooks/walkthrough.ipynb, with the standard library.

``python -m tests.documents.notebook FILE`` writes its code as a program, for mypy.
"""

import json
import re
import sys
from pathlib import Path
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


def main() -> None:
    """Write the code of all cells."""
    code = "\n".join(source(cell) for cell in code_cells())
    Path(sys.argv[1]).write_text(f"{code}\n", "utf-8")


if __name__ == "__main__":
    main()

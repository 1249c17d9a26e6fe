"""What the notebook imports of the repository is there: a run of the whole notebook takes minutes."""

import ast
import importlib
import json

import pytest

from tests.contracts.test_architecture import ALLOWED, ROOT

CELLS = json.loads((ROOT / "notebooks" / "walkthrough.ipynb").read_text("utf-8"))["cells"]
IMPORTS = [
    (node.module, alias.name)
    for cell in CELLS
    if cell["cell_type"] == "code" and not "".join(cell["source"]).lstrip().startswith("%")
    for node in ast.walk(ast.parse("".join(cell["source"])))
    if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in ALLOWED
    for alias in node.names
]


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_an_imported_name_exists(module: str, name: str) -> None:
    if not hasattr(importlib.import_module(module), name):
        importlib.import_module(f"{module}.{name}")

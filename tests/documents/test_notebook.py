"""The committed notebook has no outputs, short cells, and links that exist; tests/notebooks runs it."""

import re

import pytest

from tests.documents.markdown import ROOT
from tests.documents.notebook import NOTEBOOK, code_cells, read, source, with_parameters

LONGEST_CELL = 25


def test_outputs_are_cleared() -> None:
    assert [cell["id"] for cell in code_cells() if cell["outputs"] or cell["execution_count"]] == []


def test_cells_are_short() -> None:
    assert [cell["id"] for cell in code_cells() if len(source(cell).splitlines()) > LONGEST_CELL] == []


def test_the_metadata_names_no_machine() -> None:
    metadata = read()["metadata"]
    assert metadata["kernelspec"]["name"] == "python3"
    assert set(metadata) == {"kernelspec", "language_info"}


def test_one_variable_selects_the_target() -> None:
    assert 'TARGET = "aws"' in with_parameters(TARGET="aws").replace("\\", "").replace("'", '"')
    with pytest.raises(KeyError):
        with_parameters(NOWHERE=1)


def test_the_targets_of_links_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)", "".join(source(cell) for cell in read()["cells"]))
    assert links
    assert [link for link in links if not (NOTEBOOK.parent / link).resolve().is_relative_to(ROOT)] == []
    assert [link for link in links if not (NOTEBOOK.parent / link).exists()] == []

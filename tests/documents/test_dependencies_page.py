"""docs/dependencies.md names every dependency, with a reason."""

import re
import tomllib

import pytest

from tests.documents.markdown import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
GROUPS = [*PROJECT["dependency-groups"].values(), *PROJECT["project"]["optional-dependencies"].values()]
REQUIRED = [*PROJECT["project"]["dependencies"], *(item for group in GROUPS for item in group if isinstance(item, str))]
NAMES = {re.match(r"[\w-]+", requirement)[0] for requirement in REQUIRED}  # type: ignore[index]  # each has a name
ROWS = [line.split("|") for line in (ROOT / "docs" / "dependencies.md").read_text("utf-8").splitlines()]
LISTED = {name.strip() for row in ROWS if len(row) > 3 for name in re.sub(r"\[\w+\]|==\S+", "", row[1]).split(",")}


@pytest.mark.parametrize("name", sorted(name for name in NAMES if not re.match(r"types-|.*-stubs$", name)))
def test_a_dependency_is_listed(name: str) -> None:
    assert name in LISTED

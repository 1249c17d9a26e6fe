"""The lists in docs/architecture.md are complete."""

import re

import pytest

from tests.contracts.test_architecture import ALLOWED
from tests.contracts.test_named_errors import STATES, raised_by
from tests.documents.markdown import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def first_cells(heading: str) -> set[str]:
    """Return what the first column of a section's tables names between backticks."""
    section = PAGE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_package_is_listed() -> None:
    assert {f"{package}/" for package in ALLOWED} <= first_cells("Packages")


def test_every_module_in_which_the_target_makes_a_difference_is_listed() -> None:
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ALLOWED
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"\bTarget\.(AWS|LOCAL)\b", path.read_text("utf-8"))
    }
    assert first_cells("One code path") == modules


def test_every_patch_of_localstack_is_listed() -> None:
    patches = (ROOT / "emulation/localstack/scones_localstack/patches").glob("*.py")
    assert first_cells("LocalStack") == {path.stem for path in patches} - {"__init__"}


@pytest.mark.parametrize("service", STATES)
def test_the_contract_lists_every_error_of_a_state(service: str) -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith(f"| {STATES[service]} |")]
    (errors,) = [set(re.findall(r"`(\w+)`", row[4])) for row in rows if len(row) > 5]
    assert errors == raised_by(service)

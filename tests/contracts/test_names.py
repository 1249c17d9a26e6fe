"""Modules, classes and functions have names of the field; `docs/` and messages use the same words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "scones", "emulation", "training", "monitoring", "orchestration", "review", "services", "bench")
# A private language that the project once spoke, by the words that the field has for it.
INSTEAD_OF = {
    "babble": "invalid response",
    "beginnings": "pending executions",
    "dice": "seeded random generator",
    "door": "command line",
    "fleet": "variants or instances",
    "given": "inputs",
    "leash": "process-group wrapper",
    "lifeline": "parent watcher",
    "patience": "waiter configuration",
    "reviewed": "labelled dataset",
    "said": "what the value is",
    "scripted": "stub",
    "shortcuts": "performance patch",
    "spending": "cost confirmation",
    "spool": "capture buffer",
    "stay": "state visit",
    "surroundings": "job environment",
    "told": "what the value is",
    "twins": "near duplicates",
    "wanted": "what the value is",
    "whoever": "who",
    "wing": "package",
    "wire": "HTTP client",
    "workshop": "training environment",
    "yardstick": "reference model",
}


def words_of(name: str) -> list[str]:
    return [word.lower() for part in name.split("_") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", part)]


def names_in(path: Path) -> Iterator[str]:
    """The module's name with its folders', and those of its classes and functions."""
    yield from path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def offences(path: Path) -> dict[str, str]:
    return {name: INSTEAD_OF[word] for name in names_in(path) for word in words_of(name) if word in INSTEAD_OF}


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_the_fields(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in sorted((ROOT / package).rglob("*.py"))
        if "tests" not in path.parts and (names := offences(path))
    }
    assert found == {}, "each with what to call it instead"


def test_an_old_name_is_found_wherever_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.contracts.test_names.ROOT", tmp_path)
    path = tmp_path / "leash.py"
    path.write_text("class PatienceConfig:\n    async def wait_for_fleet(self): ...\n")
    assert set(offences(path)) == {"leash", "PatienceConfig", "wait_for_fleet"}

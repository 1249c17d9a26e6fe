"""Imports stand at the top of a file; a function that has one says why in a comment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("core", "scones", "emulation", "training", "monitoring", "orchestration", "review", "services")


def late_imports(source: str) -> Iterator[tuple[str, int, bool]]:
    """Each function with imports: its name, how many, and whether a comment in it says why."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = sum(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))
            if count:
                yield node.name, count, any(map(has_reason, lines[node.lineno - 1 : node.end_lineno]))


def has_reason(line: str) -> bool:
    """Tell whether a line has a comment next to what silences a linter: ``# noqa: PLC0415 - takes a second``."""
    comment = line.partition("#")[2].strip()
    return bool(comment) and (not comment.startswith("noqa") or " - " in comment)


def of_repository() -> list[tuple[str, int, bool]]:
    return [
        (f"{path.relative_to(ROOT)}:{name}", count, reason)
        for package in SHIPPED
        for path in sorted((ROOT / package).rglob("*.py"))
        if "tests" not in path.parts
        for name, count, reason in late_imports(path.read_text("utf-8"))
    ]


def test_a_function_with_an_import_says_why() -> None:
    assert [name for name, _, reason in of_repository() if not reason] == []


def test_there_are_few_of_them() -> None:
    assert sum(count for _, count, _ in of_repository()) < 15


@pytest.mark.parametrize(
    ("line", "reason"),
    [("import os", False), ("import os  # noqa: PLC0415", False), ("import os  # noqa: PLC0415 - slow", True)],
)
def test_a_reason_is_told_from_none(line: str, reason: bool) -> None:
    assert list(late_imports(f"def f():\n    {line}\n")) == [("f", 1, reason)]

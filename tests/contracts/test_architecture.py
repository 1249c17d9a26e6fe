"""Which package may import which, which modules read the environment, and how long files and functions may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "core": set[str](),
    "scones": {"core", "emulation", "training", "monitoring", "orchestration", "review"},
    "emulation": {"core"},
    "training": {"core"},
    "monitoring": {"core"},
    "orchestration": {"core"},
    "review": {"core"},
}
LONGEST_FILE = 300
LONGEST_FUNCTION = 60


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if package == "tests" or "tests" not in path.parts)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is named in an import, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(package: str, source: str) -> list[str]:
    """The imports in `source` that no module of `package` may make; a longer name of an allowed one is allowed."""
    names = []
    for name in imported(ast.parse(source)):
        other = name.split(".", maxsplit=1)[0]
        if other not in ALLOWED or other == package:
            continue
        covered = any(
            name == allowed or name.startswith(f"{allowed}.") or allowed.startswith(f"{name}.")
            for allowed in ALLOWED[package]
        )
        if not covered:
            names.append(name)
    return names


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    offences = {str(path.relative_to(ROOT)): forbidden(package, path.read_text("utf-8")) for path in modules(package)}
    assert {path: names for path, names in offences.items() if names} == {}


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("training", "import scones.settings"),
        ("monitoring", "from orchestration import executions"),
        ("orchestration", "def late():\n    from training.endpoint_deployment import deploy"),
        ("emulation", "from training.vehicle_net import train"),
        ("emulation", "import scones"),
        ("core", "from training import errors"),
    ],
)
def test_a_forbidden_import_is_detected(package: str, source: str) -> None:
    assert forbidden(package, source)


@pytest.mark.parametrize("service", ["serialize", "classify", "filter"])
def test_a_service_imports_nothing_of_the_rest(service: str) -> None:
    others = {*ALLOWED, "services", "tests"}
    for path in modules(f"services/{service}"):
        names = {name.split(".", maxsplit=1)[0] for name in imported(ast.parse(path.read_text("utf-8")))}
        assert not names & others, path


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def is_too_long(path: Path) -> bool:
    """A longer file gives its reason in a comment."""
    text = path.read_text("utf-8")
    return len(text.splitlines()) > LONGEST_FILE and "# Longer than others, because " not in text


@pytest.mark.parametrize("package", [*ALLOWED, "services", "bench", "tests"])
def test_files_and_functions_are_short(package: str) -> None:
    long_files = [str(path) for path in modules(package) if is_too_long(path)]
    long_functions = [
        f"{path}:{name}" for path in modules(package) for name, lines in functions_of(path) if lines > LONGEST_FUNCTION
    ]
    assert (long_files, long_functions) == ([], [])

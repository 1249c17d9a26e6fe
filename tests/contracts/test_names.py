"""Modules, classes, functions and variables have names of the field; comments, messages and documents use its words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "scones", "emulation", "training", "monitoring", "orchestration", "review", "services", "bench")
# A private language that the project once spoke, by the words that the field has for it.
INSTEAD_OF = {
    "answer": "response or prediction",
    "answers": "predictions",
    "artefact": "model artifact or dataset archive",
    "babble": "invalid response",
    "beginnings": "pending executions",
    "dice": "seeded random generator",
    "door": "command line",
    "fleet": "variants or instances",
    "found": "what the value is",
    "given": "inputs",
    "leash": "process-group wrapper",
    "lifeline": "parent watcher",
    "patience": "timeout or waiter configuration",
    "picture": "image",
    "pictures": "images",
    "place": "location, queue or what the value is",
    "reweigh": "update weights",
    "said": "what the value is",
    "scripted": "stub",
    "shortcuts": "performance patch",
    "spending": "cost confirmation",
    "spool": "capture buffer",
    "stay": "state visit",
    "struck": "injected",
    "surroundings": "job environment",
    "torn": "truncated",
    "told": "what the value is",
    "twins": "near duplicates",
    "wanted": "what the value is",
    "whoever": "who",
    "wing": "package",
    "wire": "HTTP client",
    "workshop": "training environment",
    "yardstick": "reference model",
}
# The names of the hidden option of version 1.0, of the exceptions of Python and AWS, and of what stands somewhere.
CONTRACT = re.compile(r"artefact|\w*Not_?Found\w*|NOT_FOUND\w*|in_place|_place")
# Phrases that take a second reading, by what to write.
PHRASES = {
    r"\bartefacts?\b": "model artifact or dataset archive",
    r"\bpictures?\b": "image",
    r"\banew\b": "again",
    r"\bin turns\b|\bby turns\b": "alternately",
    r"\b[Bb]eside\b": "next to, besides or compared with",
    r"\b[Mm]eanwhile\b": "in the meantime, or nothing",
    r"\b[Ww]hoever\b": "anyone who, or who it is",
    r"\bgoes on\b": "continues",
    r"\bof (?:its|their) own\b": "its own, their own, separate",
    r"\bNone where\b": "or None if",
    r"\b(?:is|are|was) no (?:JSON|HTTP|number|probability|record|whole)": "is not",
}
# The key and the option of version 1.0, and AWS's own words.
IN_CONTRACT = re.compile(r'"artefact"|--artefact|\bartefact: OldArtifactOption|artifact or artefact')
# A change log is history, and docs/aws.md has the titles of findings, which the review's tests are listed by.
HISTORY = {"CHANGELOG.md", "docs/aws.md"}


def words_of(name: str) -> list[str]:
    return [word.lower() for part in name.split("_") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", part)]


def names_in(path: Path) -> Iterator[str]:
    """The module's name with its folders', and those of its classes, functions, parameters and variables."""
    yield from path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def offences(path: Path) -> dict[str, str]:
    names = {name for name in names_in(path) if not CONTRACT.fullmatch(name)}
    return {name: INSTEAD_OF[word] for name in names for word in words_of(name) if word in INSTEAD_OF}


def phrases(text: str) -> dict[str, str]:
    """The lines with a phrase that has a better one, and that one."""
    lines = [line.strip() for line in text.splitlines() if not IN_CONTRACT.search(line)]
    return {line: better for line in lines for phrase, better in PHRASES.items() if re.search(phrase, line)}


def texts() -> Iterator[Path]:
    """Every text that people read, but tests."""
    patterns: tuple[str, ...] = ("*.md", "*.yml", "*.ini", "docs/*.md", "notebooks/*.ipynb")
    patterns += tuple(f"{package}/**/*.{suffix}" for package in PACKAGES for suffix in ("py", "jinja", "js", "yaml"))
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        name = path.relative_to(ROOT)
        if "tests" not in name.parts and name.as_posix() not in HISTORY:
            yield path


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_the_fields(package: str) -> None:
    offending = {
        str(path.relative_to(ROOT)): names
        for path in sorted((ROOT / package).rglob("*.py"))
        if "tests" not in path.parts and (names := offences(path))
    }
    assert offending == {}, "each with what to call it instead"


def test_texts_need_no_second_reading() -> None:
    offending = {str(path.relative_to(ROOT)): lines for path in texts() if (lines := phrases(path.read_text("utf-8")))}
    assert offending == {}, "each with what to write instead"


def test_a_phrase_is_detected_unless_it_is_a_contract() -> None:
    assert phrases("Written anew, with a folder of its own.") != {}
    assert phrases('values["artefact"] = uri') == {}


def test_an_old_name_is_detected_wherever_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.contracts.test_names.ROOT", tmp_path)
    path = tmp_path / "leash.py"
    path.write_text("class PatienceConfig:\n    async def wait_for_fleet(self, told):\n        found = 1\n")
    assert set(offences(path)) == {"leash", "PatienceConfig", "wait_for_fleet", "told", "found"}

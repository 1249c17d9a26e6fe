"""Every `scones` command in the documents exists, with all its options."""

import re
import shlex
from pathlib import Path

import pytest

from scones.cli import COMMANDS, ENDPOINT, IMAGES
from tests.cli_runner import find_command
from tests.documents.markdown import DOCUMENTS, ROOT, Command, commands, inline_commands, program_of

IN_BLOCKS = [command for path in DOCUMENTS for command in commands(path)]
INLINE = [command for path in DOCUMENTS for command in inline_commands(path)]


def parsed(words: list[str]) -> None:
    """Parse the words with the CLI's own parser, which raises what it raises for a user. Runs nothing."""
    command, words = find_command(words)
    if hasattr(command, "commands"):
        assert words in ([], ["--help"]), f"{words} is not a command"
        return
    placeholders = [word.rstrip("…") or "x" for word in words]
    command.make_context("scones", placeholders, resilient_parsing=False)


def words_of(command: Command) -> list[str]:
    words = shlex.split(command.text)
    while "=" in words[0] and words[0].partition("=")[0].isupper():
        words = words[1:]
    for mark in ("|", ">", "&&", "||", ";", "2>&1"):
        if mark in words:
            words = words[: words.index(mark)]
    return words[1:]


@pytest.mark.parametrize("command", [c for c in IN_BLOCKS if program_of(c.text) == "scones"], ids=str)
def test_a_command_in_a_code_block_is_valid(command: Command) -> None:
    parsed(words_of(command))


@pytest.mark.parametrize("command", INLINE, ids=str)
def test_a_command_in_text_exists(command: Command) -> None:
    named, words = find_command([word.rstrip(",") for word in command.text.split()[1:]])
    assert not (hasattr(named, "commands") and words and not words[0].startswith("-")), (
        f"there is no command {words[0]}"
    )
    options = {name for parameter in named.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options


def test_documented_make_targets_exist() -> None:
    rules = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if ":" in line}
    documented = {words_of(c)[0] for c in IN_BLOCKS if program_of(c.text) == "make" and words_of(c)}
    assert documented <= rules


def test_documented_modules_exist() -> None:
    documented = {shlex.split(c.text)[2] for c in IN_BLOCKS if c.text.startswith("python -m ")}
    missing = {name for name in documented if not _module(name).exists()}
    assert missing == set()


def _module(name: str) -> Path:
    file = ROOT / f"{name.replace('.', '/')}.py"
    return file if file.exists() else ROOT / name.replace(".", "/") / "__main__.py"


def test_every_command_is_in_the_readme() -> None:
    rows = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| `scones ")]
    documented = {word for row in rows for word in re.findall(r"[a-z]+", row.split("|")[1])}
    assert {*COMMANDS, *ENDPOINT, *IMAGES} <= documented

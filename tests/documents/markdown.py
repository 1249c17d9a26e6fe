"""Parses the documents: commands in code blocks, links, headings, paths."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
PROGRAMS = ("scones", "make", "docker", "python", "curl", "tox", "git", "cd", "aws")

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```+|~~~+)(\w*)")
_INLINE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(
    r"(bench|core|docs|emulation|monitoring|orchestration|requirements|review|scones|services|tests|training)/[a-z0-9_./-]*"
)


@dataclass(frozen=True)
class Command:
    """A command in a document, with its file and line."""

    document: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.text}"


def blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield each code block: the number of its first line, its language ("" if none is named), its lines."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence:
            begin = number + 1
            number = next(i for i in range(begin, len(lines)) if lines[i].startswith(fence[1]))
            yield begin + 1, fence[2], lines[begin:number]
        elif lines[number].startswith("    ") and _may_begin_code(lines[number - 1] if number else ""):
            begin = number
            while number < len(lines) and (lines[number].startswith("    ") or not lines[number].strip()):
                number += 1
            yield begin + 1, "", [line[4:] for line in lines[begin:number]]
        number += 1


def _may_begin_code(line_before: str) -> bool:
    """Indented lines are code after a blank line or a heading; they continue a paragraph after anything else."""
    return not line_before.strip() or line_before.startswith("#")


def commands(path: Path) -> list[Command]:
    """Return the commands in a document's code blocks, each without its comment, continued lines joined."""
    result = []
    for first, _, lines in blocks(path.read_text("utf-8")):
        joined = ""
        for offset, line in enumerate(lines):
            joined += line.removesuffix("\\")
            if line.endswith("\\"):
                continue
            text, joined = re.split(r"\s#\s", joined)[0].strip(), ""
            if program_of(text) in PROGRAMS:
                result.append(Command(str(path.relative_to(ROOT)), first + offset, text))
    return result


def program_of(command: str) -> str:
    """Return the program of a command line, without the variables set before it."""
    words = command.split()
    while words and re.fullmatch(r"[A-Z_][A-Z0-9_]*=\S*", words[0]):
        words = words[1:]
    return words[0].rpartition("/")[2] if words else ""


def inline_commands(path: Path) -> list[Command]:
    """Return the `scones` commands in text and tables, between single backticks."""
    result = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        texts = [text for text in _INLINE.findall(line) if text.partition(" ")[0] == "scones"]
        result += [Command(str(path.relative_to(ROOT)), number, text) for text in texts]
    return result


def links(path: Path) -> list[str]:
    """Return the targets of a document's links and images."""
    return _LINK.findall(path.read_text("utf-8"))


def repository_paths(path: Path) -> set[str]:
    """Return the files and folders of this repository that a document names between backticks."""
    return {text for text in _INLINE.findall(path.read_text("utf-8")) if _PATH.fullmatch(text)}


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    result = set()
    for line in path.read_text("utf-8").splitlines():
        heading = re.match(r"#+ (.+)", line)
        if heading:
            result.add(re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-"))
    return result

"""The .lst files that list a channel's images, as SageMaker's built-in image classification reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import MalformedLst


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a number of its own, the label counted from 0, and the file relative to its channel."""

    index: int
    label: int
    file: str


def format_lst(entries: Iterable[Entry]) -> str:
    """Return the text of a .lst file. Raises MalformedLst where a line could not be read back."""
    text = "".join(f"{entry.index}\t{entry.label}\t{entry.file}\n" for entry in entries)
    parse_lst(text, "the list to be written")
    return text


def write_lst(path: Path, entries: Iterable[Entry]) -> None:
    """Write ``entries``, one a line. Raises MalformedLst where a line could not be read back."""
    path.write_text(format_lst(entries), encoding="utf-8", newline="\n")


def read_lst(path: Path) -> list[Entry]:
    """Return the lines of a .lst file. Raises MalformedLst with the number of the line that is not one."""
    try:
        return parse_lst(path.read_bytes().decode("utf-8"), path)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise MalformedLst(path, line, "it is not UTF-8 text") from None


def parse_lst(text: str, name: Path | str) -> list[Entry]:
    """Return the lines of ``text``; ``name`` says in an error whose they are."""
    entries: list[Entry] = []
    seen: set[int] = set()
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=1):
        entry = _entry(line.removesuffix("\r"), name, number)
        if entry.index in seen:
            raise MalformedLst(name, number, f"index {entry.index} appears twice")
        seen.add(entry.index)
        entries.append(entry)
    return entries


def _entry(line: str, name: Path | str, number: int) -> Entry:
    fields = line.split("\t")
    if len(fields) != 3:
        raise MalformedLst(name, number, f"it has {len(fields)} fields instead of 3")
    index, label, file = fields
    if not (_whole(index) and _whole(label)):
        raise MalformedLst(name, number, f"{index[:20]!r} and {label[:20]!r} should be whole numbers")
    path = PurePosixPath(file)
    if not file.strip() or path.is_absolute() or ".." in path.parts or "\\" in file or "\0" in file or "\r" in file:
        raise MalformedLst(name, number, f"{file[:60]!r} is not a file below its directory")
    return Entry(int(index), int(label), file)


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15

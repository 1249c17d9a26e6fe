"""The .lst files that list a channel's images, as SageMaker's built-in image classification reads them.

Reads what MXNet's im2rec and editors write, too: labels such as ``1.000000``, a byte order mark, CRLF, blank lines.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import MalformedLst

_MAX_LINE_BYTES = 64 << 10
_WHOLE_NUMBER = re.compile(r"([0-9]{1,15})(?:\.0{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a unique number, the label counted from 0, and the file relative to its channel."""

    index: int
    label: int
    file: str


def format_lst(entries: Iterable[Entry]) -> str:
    """Return the text of a .lst file. Raises MalformedLst if a line could not be read back."""
    text = "".join(f"{entry.index}\t{entry.label}\t{entry.file}\n" for entry in entries)
    parse_lst(text, "the list to be written")
    return text


def write_lst(path: Path, entries: Iterable[Entry]) -> None:
    """Write ``entries``, one a line. Raises MalformedLst if a line could not be read back."""
    path.write_text(format_lst(entries), encoding="utf-8", newline="\n")


def read_lst(path: Path) -> list[Entry]:
    """Return the entries of a .lst file. Raises MalformedLst with the number of the line."""
    return list(iterate_lst(path))


def iterate_lst(path: Path) -> Iterator[Entry]:
    """Yield the entries of a .lst file, a line at a time. Raises MalformedLst with the number of the line."""
    with path.open("rb") as file:
        yield from _parse_lines(iter(lambda: file.readline(_MAX_LINE_BYTES), b""), path)


def parse_lst(text: str, name: Path | str) -> list[Entry]:
    """Return the entries of ``text``; ``name`` is the file's in error messages."""
    return list(_parse_lines(text.encode("utf-8", "surrogatepass").split(b"\n"), name))


def _parse_lines(lines: Iterable[bytes], name: Path | str) -> Iterator[Entry]:
    indexes: set[int] = set()
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise MalformedLst(name, number, "it is not UTF-8 text") from None
        if not text.strip():
            continue
        entry = _parse_line(text, name, number)
        if entry.index in indexes:
            raise MalformedLst(name, number, f"index {entry.index} appears twice")
        indexes.add(entry.index)
        yield entry


def _parse_line(line: str, name: Path | str, number: int) -> Entry:
    fields = line.split("\t")
    if len(fields) > 3 and all(map(_is_number, fields[:-1])):
        raise MalformedLst(name, number, f"it has {len(fields) - 2} labels, and one label an image is supported")
    if len(fields) != 3:
        raise MalformedLst(name, number, f"it has {len(fields)} fields between tabs instead of 3")
    index, label, file = fields
    index_match, label_match = _WHOLE_NUMBER.fullmatch(index), _WHOLE_NUMBER.fullmatch(label)
    if index_match is None or label_match is None:
        raise MalformedLst(name, number, f"{index[:20]!r} and {label[:20]!r} are not both whole numbers")
    if "\\" in file:
        raise MalformedLst(name, number, f"{file[:60]!r} has backslashes, where S3 keys have forward slashes")
    path = PurePosixPath(file)
    if not file.strip() or path.is_absolute() or ".." in path.parts or "\0" in file or "\r" in file:
        raise MalformedLst(name, number, f"{file[:60]!r} is not a file below its directory")
    return Entry(int(index_match[1]), int(label_match[1]), file)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) is not None

"""Output of the command line: results on standard output, as a table or JSON, and everything else on standard error."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.markup import escape as escape_markup
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from core.printable import printable
from scones.tables import FoldingTable

_PIPE_WIDTH = 100_000


class _Console(Console):
    """Wraps at a terminal's width, and nothing in a pipe or a file, where a URI must stay in one piece."""

    @property  # type: ignore[misc]  # nobody sets it
    def size(self) -> ConsoleDimensions:
        """The terminal's size."""
        return super().size if self.is_terminal else ConsoleDimensions(_PIPE_WIDTH, 25)

    @property  # type: ignore[misc]  # nobody sets it
    def width(self) -> int:
        """The terminal's width."""
        return super().width if self.is_terminal else _PIPE_WIDTH


out = _Console(highlight=False)
err = _Console(stderr=True, highlight=False)

Advance = Callable[[int, int], None]


def escape(text: str) -> str:
    """Return text from outside for use in markup: without markup and escape sequences."""
    return escape_markup(printable(text))


def print_json(value: Any) -> None:
    """Write ``value`` to standard output for a program to read."""
    print(json.dumps(value, indent=2, default=str))


def print_line(text: str, style: str = "") -> None:
    """Write a line to standard output; it is never wrapped, so that what it names can be copied."""
    out.print(Text(printable(text), style), soft_wrap=True)


def print_values(values: Mapping[str, Any]) -> None:
    """Write values by name to standard output."""
    out.print(values_table(values.items()))


def values_table(rows: Iterable[tuple[str, Any]]) -> Table:
    """Return names and values, one a row."""
    table = FoldingTable.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(f"[bold]{name}[/]", escape(str(value)))
    return table


def counts(values: Mapping[str, int]) -> str:
    """Return counts by name as text."""
    return ", ".join(f"{name} {count}" for name, count in values.items()) or "none"


def note(text: str, style: str = "") -> None:
    """Write a line to standard error; it is never wrapped."""
    err.print(Text(printable(text), style), soft_wrap=True)


def warn(title: str, text: str, style: str = "yellow") -> None:
    """Write ``title: text`` to standard error, with the title in colour."""
    err.print(Text.assemble((title, style), f": {printable(text)}"), soft_wrap=True)


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Show a bar on a terminal's standard error, fed by ``advance(done, total)``, and gone when the work is done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_deleted(names: Sequence[str], *, as_json: bool) -> None:
    """Say what a command deleted: as JSON on standard output, otherwise in a line on standard error."""
    if as_json:
        print_json({"deleted": list(names)})
    else:
        note(f"deleted: {', '.join(dict.fromkeys(names))}")

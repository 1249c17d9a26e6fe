"""How the command line speaks: a table or JSON on standard output, everything else on standard error."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

__all__ = ["Advance", "err", "escape", "out", "print_json", "progress", "tell"]

out = Console()
err = Console(stderr=True)

Advance = Callable[[int, int], None]


def print_json(value: Any) -> None:
    """Write ``value`` to standard output for a program to read."""
    print(json.dumps(value, indent=2, default=str))


def tell(values: Mapping[str, Any], *, as_json: bool) -> None:
    """Write values by name to standard output, as JSON or as a table for people."""
    if as_json:
        print_json(dict(values))
        return
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")  # an address that is cut off is of no use
    for name, value in values.items():
        table.add_row(f"[bold]{name}[/]", escape(str(value)))
    out.print(table)


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Show a bar on standard error, fed by ``advance(done, total)``, and gone when the work is done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

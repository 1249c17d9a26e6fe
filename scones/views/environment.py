"""The table of `scones up` and `scones status`."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from scones.console import escape
from scones.tables import FoldingTable


def environment_table(
    addresses: Mapping[str, str], logs: Path | str, health: Mapping[str, bool] | None = None
) -> Table:
    """Return each part's URL, and its health where that was checked."""
    table = FoldingTable.grid(padding=(0, 2))
    for name, address in addresses.items():
        shown = "" if health is None else "[green]healthy[/]" if health.get(name) else "[red]not healthy[/]"
        table.add_row(f"[bold]{name}[/]", escape(address), shown)
    table.add_row("[bold]logs[/]", escape(str(logs)))
    return table

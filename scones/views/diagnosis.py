"""The table of `scones doctor`."""

from collections.abc import Sequence

from rich.table import Table

from scones import console
from scones.diagnosis import CheckStatus, Finding, Mode
from scones.tables import FoldingTable

_COLOURS = {CheckStatus.OK: "green", CheckStatus.WARNING: "yellow", CheckStatus.ERROR: "red"}


def findings_table(findings: Sequence[tuple[Mode, Finding]]) -> Table:
    """Return each finding in a row."""
    table = FoldingTable.grid(padding=(0, 2))
    for mode, finding in findings:
        status = f"[{_COLOURS[finding.status]}]{finding.status}[/]"
        table.add_row(f"[bold]{mode}[/]", finding.check, status, console.escape(finding.detail))
    return table

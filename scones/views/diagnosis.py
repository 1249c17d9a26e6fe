"""The table of `scones doctor`."""

from collections.abc import Sequence

from rich.table import Table

from scones import console
from scones.diagnosis import CheckStatus, Finding, Mode

_COLOURS = {CheckStatus.OK: "green", CheckStatus.WARNING: "yellow", CheckStatus.ERROR: "red"}


def findings_table(findings: Sequence[tuple[Mode, Finding]]) -> Table:
    """Return each finding in a row."""
    table = Table.grid(padding=(0, 2))
    for column in range(3):
        table.add_column(no_wrap=column < 2)
    table.add_column(overflow="fold")
    for mode, finding in findings:
        status = f"[{_COLOURS[finding.status]}]{finding.status}[/]"
        table.add_row(f"[bold]{mode}[/]", finding.check, status, console.escape(finding.detail))
    return table

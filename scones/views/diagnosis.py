"""The table of `scones doctor`."""

from collections.abc import Sequence

from rich.table import Table

from scones import console
from scones.diagnosis import Finding, Verdict

_COLOURS = {Verdict.GOOD: "green", Verdict.ADVICE: "yellow", Verdict.BAD: "red"}


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return each finding in a row."""
    table = Table.grid(padding=(0, 2))
    for column in range(3):
        table.add_column(no_wrap=column < 2)
    table.add_column(overflow="fold")
    for finding in findings:
        verdict = f"[{_COLOURS[finding.verdict]}]{finding.verdict}[/]"
        table.add_row(f"[bold]{finding.mode}[/]", finding.what, verdict, console.escape(finding.found))
    return table

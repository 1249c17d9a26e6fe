"""The screen and the plots of `scones monitor`."""

import json
from collections.abc import Iterator
from pathlib import Path

from core.files import write_atomically
from monitoring import plots
from monitoring.drift import DriftReport, Verdict
from scones import console
from scones.captured_inferences import MonitoringResult
from scones.tables import FoldingTable

_COLOURS = {Verdict.UNKNOWN: "dim", Verdict.STABLE: "green", Verdict.WATCH: "yellow", Verdict.DRIFTED: "red"}


def write_files(result: MonitoringResult, folder: Path) -> None:
    """Write monitor.json and the plots."""
    plots.confidence_over_time(result.timeline, result.labels).write(folder)
    plots.drift_signals(result.drift).write(folder)
    write_atomically(folder / "monitor.json", json.dumps(result.to_dict(), indent=2) + "\n")


def show(result: MonitoringResult, folder: Path) -> None:
    """Print the verdict, the signals behind it, and where the plots are."""
    report = result.drift
    verdict = f"[bold {_COLOURS[report.verdict]}]{report.verdict}[/]"
    console.out.print(f"{verdict}  {console.escape(f'{result.endpoint}, {result.time_range}')}")
    console.print_line(report.description.removeprefix(f"{report.verdict}: "))
    if report.signals:
        console.out.print(signals_table(report))
    for line in _lines(result):
        console.print_line(line)
    console.print_line(f"plots: {folder / 'confidence.png'}, {folder / 'drift.png'}")


def signals_table(report: DriftReport) -> FoldingTable:
    """Return each signal in a row."""
    table = FoldingTable("signal", "baseline", "current", "statistic", "adjusted p", "verdict", show_edge=False)
    for signal in report.signals:
        p = "< 0.0001" if signal.adjusted_p < 0.0001 else f"{signal.adjusted_p:.4f}"
        verdict = f"[{_COLOURS[signal.verdict]}]{signal.verdict}[/]"
        statistic = f"{signal.test} {signal.statistic:.3f}"
        table.add_row(signal.name, f"{signal.baseline:.3g}", f"{signal.current:.3g}", statistic, p, verdict)
    return table


def _lines(result: MonitoringResult) -> Iterator[str]:
    window, threshold = result.window, result.timeline.threshold
    if len(window):
        below = float((window.confidences < threshold).mean())
        second = int(window.labels.sum())
        mix = f"{len(window) - second:,} {result.labels[0]}, {second:,} {result.labels[1]}"
        yield (
            f"{len(window):,} inferences, mean confidence {window.confidences.mean():.4f}, {below:.1%} below "
            f"{threshold:g}; {mix}"
        )
    estimate = result.drift.estimated_accuracy
    if estimate is not None:
        yield f"estimated accuracy {estimate.value:.1%} (95 % interval {estimate.low:.1%} to {estimate.high:.1%})"
    if result.latency.mean is not None:
        yield f"model latency {result.latency.mean:.0f} ms on average, {result.latency.worst:.0f} ms at worst"
    if result.drift.baseline is not None:
        yield f"compared with: {result.drift.baseline}"
    yield from (f"note: {note}" for note in (*result.drift.notes, *result.capture.sentences()))

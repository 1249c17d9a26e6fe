"""The screen of `scones evaluate`."""

from pathlib import Path

from rich.table import Table

from monitoring import calibration, evaluation, threshold
from monitoring.report import Content
from scones import console


def evaluation_table(content: Content, dataset: str, split: str, page: Path) -> Table:
    """Return accuracy, coverage, calibration and the advised threshold, with where the page is."""
    answers = content.answers
    totals = evaluation.evaluate(answers, content.threshold)
    rows = [
        ("data", f"{dataset}, {len(answers)} {split} images"),
        ("accuracy", evaluation.in_words(totals.accuracy)),
        (f"accepted at {content.threshold:g}", evaluation.in_words(totals.accepted)),
        ("right among accepted", evaluation.in_words(totals.accuracy_accepted)),
        *(
            (f"{content.labels[each.label]} right", evaluation.in_words(each.accuracy))
            for each in evaluation.by_class(answers, content.threshold)
        ),
        ("calibration error", f"{calibration.calibration(answers).ece:.3f}"),
        ("threshold", threshold.advise(answers, content.target_accuracy).sentence),
        *(("note", note) for note in content.all_notes),
        ("page", str(page)),
    ]
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(f"[bold]{name}[/]", console.escape(value))
    return table

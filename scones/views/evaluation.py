"""The screen of `scones evaluate`."""

from pathlib import Path

from rich.table import Table

from monitoring import calibration, evaluation
from monitoring.report import Content
from scones import console


def evaluation_table(content: Content, dataset: str, split: str, page: Path) -> Table:
    """Return accuracy, coverage, calibration and the advised threshold, with where the page is."""
    predictions = content.predictions
    totals = evaluation.evaluate(predictions, content.threshold)
    rows = [
        ("data", f"{dataset}, {len(predictions)} {split} images"),
        ("accuracy", evaluation.describe_rate(totals.accuracy)),
        (f"accepted at {content.threshold:g}", evaluation.describe_rate(totals.accepted)),
        ("accuracy of accepted", evaluation.describe_rate(totals.accuracy_accepted)),
        *(
            (f"{content.labels[each.label]} right", evaluation.describe_rate(each.accuracy))
            for each in evaluation.by_class(predictions, content.threshold)
        ),
        ("calibration error", f"{calibration.calibration(predictions).ece:.3f}"),
        *((f"{kind} accepted", evaluation.describe_rate(rate)) for kind, rate in content.accepted_of_neither.items()),
        ("threshold", content.recommendation.description),
        *(("note", note) for note in content.all_notes),
        ("page", str(page)),
    ]
    return console.values_table(rows)

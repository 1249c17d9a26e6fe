"""The screen of `scones demo`."""

from rich.console import Group, RenderableType
from rich.panel import Panel

from monitoring.evaluation import describe_rate
from scones.console import escape, values_table
from scones.demo_summary import DemoSummary
from scones.recent_executions import BELOW_THRESHOLD
from scones.tables import FoldingTable


def summary_panel(summary: DemoSummary, threshold: float) -> RenderableType:
    """Return the summary as one screen."""
    outcomes = FoldingTable(title="Outcomes of the images", title_justify="left", show_edge=False)
    outcomes.add_column("outcome")
    outcomes.add_column("images", justify="right")
    outcomes.add_row("[green]classified[/]", str(summary.executions["SUCCEEDED"]))
    for name, count in summary.errors.items():
        queue = "review queue" if name == BELOW_THRESHOLD else "failure queue"
        outcomes.add_row(f"[{'yellow' if name == BELOW_THRESHOLD else 'red'}]{escape(name)}[/] → {queue}", str(count))
    rows = [
        ("data", f"{summary.dataset}, held-out test images"),
        ("accuracy", describe_rate(summary.evaluation.accuracy)),
        (f"accepted at {threshold}", describe_rate(summary.evaluation.accepted)),
        ("accuracy of accepted", describe_rate(summary.evaluation.accuracy_accepted)),
        ("neither class", "{images} images: {review} to review, {accepted} accepted".format(**summary.neither)),
        ("latency", f"p50 {summary.latency_ms['p50']:.0f} ms, p95 {summary.latency_ms['p95']:.0f} ms an execution"),
        ("captured", f"{summary.captured} of {summary.predictions} inferences"),
        ("queues", f"review {summary.review_queue}, failure {summary.failure_queue}"),
        ("time", ", ".join(f"{step} {seconds:.1f} s" for step, seconds in summary.seconds.items())),
        *summary.files.items(),
    ]
    figures = values_table(rows)
    subtitle = (
        "every image is accounted for"
        if summary.is_accounted_for
        else "[red]some images are not accounted for: see the logs[/]"
    )
    return Panel(Group(outcomes, "", figures), title="Scones", subtitle=subtitle, expand=False)

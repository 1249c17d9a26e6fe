"""What a demo run found, as data and as one screen."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from monitoring.evaluation import Evaluation, Prediction, Rate, describe_rate, evaluate, percentiles
from orchestration.executions import Outcome
from scones.recent_executions import BELOW_THRESHOLD


@dataclass(frozen=True)
class Summary:
    """The figures of one run.

    ``outcomes`` are those of the labelled images first, the broken ones after them; ``seconds`` maps step to duration.
    """

    dataset: str
    images: int
    executions: Mapping[str, int]
    errors: Mapping[str, int]
    evaluation: Evaluation
    latency_ms: Mapping[str, float]
    captured: int
    answered: int
    review_queue: int
    failure_queue: int
    seconds: Mapping[str, float]
    where: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``summary.json`` holds; shares are ``null`` where they have no denominator."""
        return {
            "dataset": self.dataset,
            "images": self.images,
            "executions": dict(self.executions),
            "errors": dict(self.errors),
            "accuracy": _number(self.evaluation.accuracy.value),
            "accuracy_interval": _interval(self.evaluation.accuracy),
            "accepted": _number(self.evaluation.accepted.value),
            "accuracy_accepted": _number(self.evaluation.accuracy_accepted.value),
            "accuracy_accepted_interval": _interval(self.evaluation.accuracy_accepted),
            "latency_ms": dict(self.latency_ms),
            "captured": self.captured,
            "answered": self.answered,
            "review_queue": self.review_queue,
            "failure_queue": self.failure_queue,
            "seconds": dict(self.seconds),
            "where": dict(self.where),
        }

    def write(self, path: Path) -> None:
        """Write ``summary.json``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n")

    @property
    def is_accounted_for(self) -> bool:
        """Whether every input ended in exactly one place: succeeded, review queue or failure queue."""
        places = self.executions.get("SUCCEEDED", 0) + self.review_queue + self.failure_queue
        return places == self.images and self.captured == self.answered


def answers(
    outcomes: Sequence[Outcome], labels: Mapping[str, int], inferences: Mapping[str, Sequence[float]]
) -> list[Prediction]:
    """Pair each labelled image's true label with what the endpoint said; those that it did not answer are left out.

    ``inferences`` gives the answer by execution ARN for those below the threshold, whose executions have no output.
    """
    found = []
    for outcome in outcomes:
        said = outcome.output["inferences"] if outcome.output else inferences.get(outcome.execution_arn)
        if said is not None and outcome.image.s3_key in labels:
            found.append(Prediction(labels[outcome.image.s3_key], (said[0], said[1])))
    return found


def figures(outcomes: Sequence[Outcome], labelled: Sequence[Prediction], threshold: float) -> dict[str, Any]:
    """Return the parts of a summary that follow from the outcomes alone."""
    failed = [outcome for outcome in outcomes if outcome.status != "SUCCEEDED"]
    ends = Counter(outcome.status for outcome in outcomes)
    return {
        "images": len(outcomes),
        "executions": {"SUCCEEDED": 0, "FAILED": 0, **ends},
        "errors": dict(Counter(outcome.error or outcome.status for outcome in failed).most_common()),
        "evaluation": evaluate(labelled, threshold),
        "latency_ms": percentiles(
            [o.milliseconds for o in outcomes if o.status == "SUCCEEDED" or o.error == BELOW_THRESHOLD]
        ),
    }


def render(summary: Summary, threshold: float) -> RenderableType:
    """Return the summary as one screen."""
    outcomes = Table(title="Where the images ended", title_justify="left", show_edge=False)
    outcomes.add_column("outcome")
    outcomes.add_column("images", justify="right")
    outcomes.add_row("[green]classified[/]", str(summary.executions["SUCCEEDED"]))
    for name, count in summary.errors.items():
        place = "review queue" if name == BELOW_THRESHOLD else "failure queue"
        outcomes.add_row(f"[{'yellow' if name == BELOW_THRESHOLD else 'red'}]{name}[/] → {place}", str(count))
    figure = Table.grid(padding=(0, 2))
    rows = [
        ("data", f"{summary.dataset}, held-out test images"),
        ("accuracy", describe_rate(summary.evaluation.accuracy)),
        (f"accepted at {threshold}", describe_rate(summary.evaluation.accepted)),
        ("right among accepted", describe_rate(summary.evaluation.accuracy_accepted)),
        ("latency", f"p50 {summary.latency_ms['p50']:.0f} ms, p95 {summary.latency_ms['p95']:.0f} ms an execution"),
        ("captured", f"{summary.captured} of {summary.answered} answered inferences"),
        ("queues", f"review {summary.review_queue}, failure {summary.failure_queue}"),
        ("time", ", ".join(f"{step} {seconds:.1f} s" for step, seconds in summary.seconds.items())),
        *summary.where.items(),
    ]
    for name, value in rows:
        figure.add_row(f"[bold]{name}[/]", value)
    verdict = (
        "every image is accounted for"
        if summary.is_accounted_for
        else "[red]some images are not accounted for: see the logs[/]"
    )
    return Panel(Group(outcomes, "", figure), title="Scones", subtitle=verdict, expand=False)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _interval(rate: Rate) -> list[float] | None:
    return None if rate.n == 0 else [round(rate.low, 4), round(rate.high, 4)]

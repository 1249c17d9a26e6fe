"""The figures of a demo run."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.files import write_atomically
from monitoring.evaluation import Evaluation, Prediction, Rate, evaluate, percentiles
from orchestration.executions import Outcome, S3Image
from scones.recent_executions import BELOW_THRESHOLD


@dataclass(frozen=True)
class DemoSummary:
    """The figures of one run.

    ``neither`` counts the images of neither class and where they ended; ``seconds`` maps step to duration.
    """

    dataset: str
    images: int
    executions: Mapping[str, int]
    errors: Mapping[str, int]
    evaluation: Evaluation
    neither: Mapping[str, int]
    latency_ms: Mapping[str, float]
    captured: int
    predictions: int
    review_queue: int
    failure_queue: int
    seconds: Mapping[str, float]
    files: Mapping[str, str]

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
            "neither": dict(self.neither),
            "latency_ms": dict(self.latency_ms),
            "captured": self.captured,
            "answered": self.predictions,
            "review_queue": self.review_queue,
            "failure_queue": self.failure_queue,
            "seconds": dict(self.seconds),
            "where": dict(self.files),
        }

    def write(self, path: Path) -> None:
        """Write ``summary.json``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(self.to_dict(), indent=2) + "\n")

    @property
    def is_accounted_for(self) -> bool:
        """Whether every input ended exactly once: as classified, in the review queue or in the failure queue."""
        ended = self.executions.get("SUCCEEDED", 0) + self.review_queue + self.failure_queue
        return ended == self.images and self.captured == self.predictions


def labelled_predictions(
    outcomes: Sequence[Outcome], labels: Mapping[str, int], inferences: Mapping[str, Sequence[float]]
) -> list[Prediction]:
    """Pair each labelled image's true label with its prediction; images without one are skipped.

    ``inferences`` gives the prediction by execution ARN of those below the threshold, whose executions have no output.
    """
    paired = []
    for outcome in outcomes:
        pair = outcome.output["inferences"] if outcome.output else inferences.get(outcome.execution_arn)
        if pair is not None and outcome.image.s3_key in labels:
            paired.append(Prediction(labels[outcome.image.s3_key], (pair[0], pair[1])))
    return paired


def figures(
    outcomes: Sequence[Outcome], labelled: Sequence[Prediction], threshold: float, of_neither: Sequence[S3Image] = ()
) -> dict[str, Any]:
    """Return the parts of a summary that follow from the outcomes alone."""
    ends_of_neither = [outcome for outcome in outcomes if outcome.image in of_neither]
    failed = [outcome for outcome in outcomes if outcome.status != "SUCCEEDED"]
    ends = Counter(outcome.status for outcome in outcomes)
    return {
        "images": len(outcomes),
        "executions": {"SUCCEEDED": 0, "FAILED": 0, **ends},
        "errors": dict(Counter(outcome.error or outcome.status for outcome in failed).most_common()),
        "evaluation": evaluate(labelled, threshold),
        "neither": {
            "images": len(ends_of_neither),
            "accepted": sum(outcome.status == "SUCCEEDED" for outcome in ends_of_neither),
            "review": sum(outcome.error == BELOW_THRESHOLD for outcome in ends_of_neither),
        },
        "latency_ms": percentiles(
            [o.milliseconds for o in outcomes if o.status == "SUCCEEDED" or o.error == BELOW_THRESHOLD]
        ),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _interval(rate: Rate) -> list[float] | None:
    return None if rate.n == 0 else [round(rate.low, 4), round(rate.high, 4)]

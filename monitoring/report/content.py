"""The content of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from core.labels import VEHICLES, Labels
from monitoring.drift import DriftReport
from monitoring.evaluation import Prediction, Rate
from monitoring.threshold import ThresholdRecommendation, recommend_threshold
from monitoring.timeline import Timeline

Disposition = Literal["accepted", "review", "failure", "other"]


class State(Protocol):
    """One visit of a state, from an execution's history; sizes are in bytes."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def milliseconds(self) -> float | None: ...  # noqa: D102
    @property
    def input_bytes(self) -> int: ...  # noqa: D102
    @property
    def output_bytes(self) -> int | None: ...  # noqa: D102
    @property
    def retries(self) -> int: ...  # noqa: D102
    @property
    def error(self) -> str | None: ...  # noqa: D102
    @property
    def message(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True)
class ReportedImage:
    """An image and its outcome.

    ``disposition`` is where it ended; ``label`` the true one, where known; ``content`` the encoded image, where it can
    still be read; ``execution`` the execution's name, or None if there was none.
    """

    name: str
    disposition: Disposition
    inferences: tuple[float, float] | None = None
    label: int | None = None
    content: bytes | None = field(default=None, repr=False)
    execution: str | None = None
    milliseconds: float | None = None
    error: str | None = None
    message: str | None = None
    states: Sequence[State] = ()

    @property
    def prediction(self) -> Prediction | None:
        """The prediction with its true label, or None if one of the two is unknown."""
        if self.inferences is None or self.label is None:
            return None
        return Prediction(self.label, self.inferences)

    @property
    def predicted(self) -> int | None:
        """The predicted label, 0 or 1."""
        return None if self.inferences is None else int(self.inferences[1] > self.inferences[0])

    @property
    def confidence(self) -> float | None:
        """The probability of the predicted label."""
        return None if self.inferences is None else max(self.inferences)

    @property
    def anchor(self) -> str | None:
        """The id of its execution on the page."""
        return None if self.execution is None else f"execution-{self.execution}"

    @property
    def is_wrong(self) -> bool:
        """Whether the prediction is known to be wrong."""
        return self.prediction is not None and not self.prediction.is_right


@dataclass(frozen=True)
class Content:
    """All content of a report. ``notes`` are sentences on its limits; ``timeline`` and ``drift`` come from captures.

    ``review_url`` is where `scones review --serve` serves the queues that the images are in; ``neither`` has the
    confidences of images that show neither class, by kind.
    """

    title: str
    made: datetime
    threshold: float
    images: Sequence[ReportedImage]
    labels: Labels = VEHICLES
    timeline: Timeline | None = None
    drift: DriftReport | None = None
    notes: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    target_accuracy: float = 0.99
    review_url: str | None = None
    neither: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def predictions(self) -> list[Prediction]:
        """The predictions for images whose label is known."""
        return [image.prediction for image in self.images if image.prediction is not None]

    @property
    def accepted_of_neither(self) -> dict[str, Rate]:
        """The share of images of neither class that the threshold accepts, by kind."""
        return {
            kind: Rate.of(sum(each >= self.threshold for each in confidences), len(confidences))
            for kind, confidences in self.neither.items()
        }

    @property
    def recommendation(self) -> ThresholdRecommendation:
        """The lowest threshold that reaches the target accuracy; an accepted image of neither class counts as wrong."""
        of_neither = [each for confidences in self.neither.values() for each in confidences]
        return recommend_threshold(self.predictions, self.target_accuracy, of_neither)

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes passed in, and those that follow from the content."""
        notes = list(self.notes)
        predictions = self.predictions
        if not self.images:
            notes.append("no image was classified in this time range")
        elif not predictions:
            notes.append("the true labels of these images are not known, so accuracy is not measured")
        elif len({prediction.label for prediction in predictions}) == 1 and len(predictions) > 1:
            notes.append(
                f"every labelled image is a {self.labels[predictions[0].label]}: the other class has no figures"
            )
        if len(predictions) > 1 and max(prediction.confidence for prediction in predictions) < self.threshold:
            notes.append(f"no prediction reaches the threshold {self.threshold:g}: every image goes to review")
        if len(predictions) == 1:
            notes.append("one image is not enough for a conclusion: see the intervals")
        if self.timeline is not None and not self.timeline.n:
            notes.append(self.timeline.empty_reason)
        return tuple(notes)

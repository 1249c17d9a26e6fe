"""What a report tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from monitoring.drift import DriftReport
from monitoring.evaluation import VEHICLES, Answer, Labels
from monitoring.timeline import Timeline

Place = Literal["accepted", "review", "failure", "other"]


class State(Protocol):
    """One stay in a state of the workflow, as an execution's history tells it; sizes are in bytes."""

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
    """An image and what came of it.

    ``place`` is where it ended; ``label`` is its true one, where known; ``content`` the
    encoded image, where it can still be read; ``execution`` its execution's name, None where there was none.
    """

    name: str
    place: Place
    inferences: tuple[float, float] | None = None
    label: int | None = None
    content: bytes | None = field(default=None, repr=False)
    execution: str | None = None
    milliseconds: float | None = None
    error: str | None = None
    message: str | None = None
    states: Sequence[State] = ()

    @property
    def answer(self) -> Answer | None:
        """The answer to compare with the truth; None where one of the two is unknown."""
        if self.inferences is None or self.label is None:
            return None
        return Answer(self.label, self.inferences)

    @property
    def predicted(self) -> int | None:
        """The likelier label."""
        return None if self.inferences is None else int(self.inferences[1] > self.inferences[0])

    @property
    def confidence(self) -> float | None:
        """The likelier class's probability."""
        return None if self.inferences is None else max(self.inferences)

    @property
    def anchor(self) -> str | None:
        """Where on the page its execution is."""
        return None if self.execution is None else f"execution-{self.execution}"

    @property
    def is_wrong(self) -> bool:
        """Whether the answer is known to be wrong."""
        return self.answer is not None and not self.answer.is_right


@dataclass(frozen=True)
class Content:
    """All that a report says. ``notes`` are sentences that limit it; ``timeline`` and ``drift`` come from captures."""

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

    @property
    def answers(self) -> list[Answer]:
        """The answers to images whose label is known."""
        return [image.answer for image in self.images if image.answer is not None]

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes given, and those that the content itself calls for."""
        found = list(self.notes)
        answers = self.answers
        if not self.images:
            found.append("no image was classified in this time")
        elif not answers:
            found.append("no label is known for these images, so it cannot be said which answers are right")
        elif len({answer.label for answer in answers}) == 1 and len(answers) > 1:
            found.append(f"every image is a {self.labels[answers[0].label]}: nothing is known of the other class")
        if len(answers) > 1 and max(answer.confidence for answer in answers) < self.threshold:
            found.append(f"no answer reaches the threshold {self.threshold:g}: everything goes to review")
        if len(answers) == 1:
            found.append("one image proves nothing: the intervals say how little")
        if self.timeline is not None and not self.timeline.n:
            found.append(self.timeline.silence)
        return tuple(found)

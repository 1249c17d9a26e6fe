"""What a threshold costs and buys: the more sure an answer must be, the fewer pass, and the more of these are right."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.evaluation import Answer, Rate, evaluate


@dataclass(frozen=True)
class Choice:
    """What comes of a threshold: the share of answers that pass it, and the accuracy among them."""

    threshold: float
    coverage: Rate
    accuracy: Rate


@dataclass(frozen=True)
class Advice:
    """The threshold for a wanted accuracy; ``choice`` is None where no threshold reaches it."""

    target: float
    choice: Choice | None

    @property
    def sentence(self) -> str:
        """The advice in words, with how much it rests on."""
        if self.choice is None:
            return f"no threshold gives {self.target:.1%} right among the accepted answers"
        found = self.choice
        right = f"{self.target:.1%} or more right: {found.accuracy.successes} of {found.accuracy.n}"
        if found.coverage.successes == found.coverage.n:
            words = f"accepting every answer already gives {right}"
        else:
            words = f"a threshold of {found.threshold:.4f} gives {right}, with {found.coverage.value:.1%} accepted"
        if found.accuracy.low < self.target:
            words += f"; the 95 % interval begins at {found.accuracy.low:.1%}: evaluate more images to be sure"
        return words


def choose(answers: Sequence[Answer], threshold: float) -> Choice:
    """Return what comes of a threshold."""
    found = evaluate(answers, threshold)
    return Choice(threshold, found.accepted, found.accuracy_accepted)


def curve(answers: Sequence[Answer]) -> tuple[tuple[float, float, float], ...]:
    """Return ``(threshold, coverage, accuracy)`` for each confidence that occurs, the highest threshold first."""
    ranked = sorted(answers, key=lambda answer: answer.confidence, reverse=True)
    points, right = [], 0
    for accepted, answer in enumerate(ranked, start=1):
        right += answer.is_right
        is_last_of_ties = accepted == len(ranked) or ranked[accepted].confidence < answer.confidence
        if is_last_of_ties:
            points.append((answer.confidence, accepted / len(ranked), right / accepted))
    return tuple(points)


def advise(answers: Sequence[Answer], target: float) -> Advice:
    """Return the lowest threshold among the confidences that reaches an accuracy of ``target`` (0 to 1)."""
    reaching = [threshold for threshold, _, accuracy in curve(answers) if accuracy >= target]
    return Advice(target, choose(answers, min(reaching)) if reaching else None)

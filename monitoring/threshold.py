"""The trade-off of a threshold: the higher, the fewer predictions are accepted, and the more of these are right."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.evaluation import Prediction, Rate, evaluate


@dataclass(frozen=True)
class ThresholdEffect:
    """The share of predictions that a threshold accepts, and the accuracy among them."""

    threshold: float
    coverage: Rate
    accuracy: Rate


@dataclass(frozen=True)
class ThresholdRecommendation:
    """The lowest threshold that reaches a target accuracy; ``effect`` is None if none does."""

    target: float
    effect: ThresholdEffect | None

    @property
    def description(self) -> str:
        """The recommendation as text, with its counts."""
        if self.effect is None:
            return f"no threshold reaches an accuracy of {self.target:.1%} among the accepted predictions"
        coverage, accuracy = self.effect.coverage, self.effect.accuracy
        target = f"an accuracy of at least {self.target:.1%} ({accuracy.successes} of {accuracy.n} right)"
        if coverage.successes == coverage.n:
            text = f"accepting every prediction already gives {target}"
        else:
            text = f"a threshold of {self.effect.threshold:.4f} accepts {coverage.value:.1%} and gives {target}"
        if accuracy.low < self.target:
            text += f"; the 95 % interval begins at {accuracy.low:.1%}: evaluate more images to confirm"
        return text


def threshold_effect(
    predictions: Sequence[Prediction], threshold: float, of_neither: Sequence[float] = ()
) -> ThresholdEffect:
    """Return coverage and accuracy at a threshold; an accepted image of neither class counts as wrong."""
    evaluation = evaluate(predictions, threshold)
    right, accepted = evaluation.accuracy_accepted.successes, evaluation.accuracy_accepted.n
    accuracy = Rate.of(right, accepted + sum(each >= threshold for each in of_neither))
    return ThresholdEffect(threshold, evaluation.accepted, accuracy)


def coverage_curve(predictions: Sequence[Prediction]) -> tuple[tuple[float, float, float], ...]:
    """Return ``(threshold, coverage, accuracy)`` for each confidence that occurs, the highest threshold first."""
    ranked = sorted(predictions, key=lambda prediction: prediction.confidence, reverse=True)
    points, right = [], 0
    for accepted, prediction in enumerate(ranked, start=1):
        right += prediction.is_right
        is_last_of_ties = accepted == len(ranked) or ranked[accepted].confidence < prediction.confidence
        if is_last_of_ties:
            points.append((prediction.confidence, accepted / len(ranked), right / accepted))
    return tuple(points)


def recommend_threshold(
    predictions: Sequence[Prediction], target: float, of_neither: Sequence[float] = ()
) -> ThresholdRecommendation:
    """Return the lowest threshold among the confidences that reaches an accuracy of ``target`` (0 to 1).

    ``of_neither`` are the confidences of images that show neither class: each that is accepted counts as wrong.
    """
    ranked, reaching = sorted(of_neither), []
    for threshold, coverage, accuracy in coverage_curve(predictions):
        accepted = round(coverage * len(predictions))
        accepted_of_neither = len(ranked) - bisect_left(ranked, threshold)
        if round(accuracy * accepted) / (accepted + accepted_of_neither) >= target:
            reaching.append(threshold)
    effect = threshold_effect(predictions, min(reaching), of_neither) if reaching else None
    return ThresholdRecommendation(target, effect)

"""FilterInferences: an image leaves with its label, or fails because the model is not sure enough of it.

In       s3_bucket    str             passed on
         s3_key       str             passed on
         inferences   [float, float]  probability of each label: each in 0..1, together 1 within 0.001
         threshold    float           may be absent: what the confidence has to reach in this execution, in 0.5..1
Out      the three above, and
         label        str             the name of the likelier label, of the first when equal
         confidence   float           the probability of that label
         threshold    float           what the confidence had to reach
Errors   ThresholdConfidenceNotMet, MalformedInference, InvalidInput, InvalidConfiguration

Further fields of the event are dropped. THRESHOLD in the environment is a number in 0.5..1, by default 0.94; it holds
for every execution that brings no threshold of its own. LABELS in the environment names the two labels in the order of
the inferences, with a comma between, by default "bicycle,motorcycle".
"""

# Only what a bare interpreter has loaded anyway: json alone would nearly double the start of this function.
import os

from errors import InvalidConfiguration, InvalidInput, MalformedInference, ThresholdConfidenceNotMet, quoted

DEFAULT_LABELS = "bicycle,motorcycle"
DEFAULT_THRESHOLD = "0.94"
SUM_TOLERANCE = 1e-3
_ADVICE = "send what ClassifyImageData answered"


def handler(event: object, context: object) -> dict[str, object]:
    """Decide on one image, as the Lambda runtime asks."""
    threshold = parse_threshold(os.environ.get("THRESHOLD", DEFAULT_THRESHOLD))
    labels = parse_labels(os.environ.get("LABELS", DEFAULT_LABELS))
    bucket, key, answer = parse_event(event)
    if isinstance(event, dict) and "threshold" in event:
        threshold = own_threshold(event["threshold"])
    inferences = probabilities(answer, labels)
    label, confidence = likelier(inferences, labels)
    passed = confidence >= threshold
    # Numbers and checked words only, so this is JSON without an encoder, and no text from outside can break the line.
    print(
        f'{{"state": "FilterInferences", "request_id": "{getattr(context, "aws_request_id", "")}", "label": "{label}", '
        f'"confidence": {confidence}, "threshold": {threshold}, "passed": {"true" if passed else "false"}}}'
    )
    if not passed:
        raise ThresholdConfidenceNotMet(
            f"{label} with confidence {confidence} is below the threshold {threshold}: a person must label this image"
        )
    return {
        "s3_bucket": bucket,
        "s3_key": key,
        "inferences": inferences,
        "label": label,
        "confidence": confidence,
        "threshold": threshold,
    }


def parse_threshold(text: str) -> float:
    """Return the threshold that ``text`` gives; below 0.5 it would hold nothing back, so that is refused."""
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not 0.5 <= threshold <= 1:
        raise InvalidConfiguration(f"THRESHOLD must be a number in 0.5..1, got {quoted(text)}: unset it to have 0.94")
    return threshold


def parse_labels(text: str) -> list[str]:
    """Return the two names that ``text`` gives, or raise :class:`InvalidConfiguration`."""
    labels = text.split(",")
    if len(set(labels)) != 2 or len(labels) != 2 or not all(_is_name(label) for label in labels):
        raise InvalidConfiguration(
            f"LABELS must be two different names with a comma between, got {quoted(text)}: unset it for vehicles"
        )
    return labels


def _is_name(text: str) -> bool:
    """Tell whether ``text`` is of letters, digits, hyphens and underscores: it goes into a line of JSON as it is."""
    return text.isascii() and text.replace("-", "0").replace("_", "0").isalnum()


def own_threshold(value: object) -> float:
    """Return the threshold that the event gives for itself, or raise :class:`InvalidInput`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= 1:  # NaN is in no range
        raise InvalidInput(f"threshold must be a number in 0.5..1, got {quoted(value)}: leave it out to have the usual")
    return float(value)


def parse_event(event: object) -> tuple[str, str, object]:
    """Return bucket, key and the inferences, these unchecked, or raise :class:`InvalidInput`."""
    if not isinstance(event, dict):
        raise InvalidInput(f"the event must be a JSON object, got {quoted(event)}: {_ADVICE}")
    if "inferences" not in event:
        raise InvalidInput(f"the field inferences is missing: {_ADVICE}")
    return _text(event, "s3_bucket"), _text(event, "s3_key"), event["inferences"]


def _text(event: dict[str, object], field: str) -> str:
    value = event.get(field)
    if not isinstance(value, str) or not value or not _is_unicode(value):
        raise InvalidInput(f"{field} must be text that is not empty, got {quoted(value)}: {_ADVICE}")
    return value


def _is_unicode(text: str) -> bool:
    """Tell whether ``text`` can be written as UTF-8: JSON may carry half a surrogate pair, an answer may not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def probabilities(inferences: object, labels: list[str]) -> list[float]:
    """Return ``inferences`` if it is one probability for each label, or raise :class:`MalformedInference`."""
    advice = "check what the endpoint answers"
    if not isinstance(inferences, list) or len(inferences) != len(labels):
        got = f"a list of {len(inferences)}" if isinstance(inferences, list) else quoted(inferences)
        raise MalformedInference(f"inferences must be a list of two probabilities, got {got}: {advice}")
    for label, value in zip(labels, inferences, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:  # NaN is in no range
            raise MalformedInference(f"the probability of {label} must be in 0..1, got {quoted(value)}: {advice}")
    if abs(sum(inferences) - 1) > SUM_TOLERANCE:
        raise MalformedInference(f"inferences must sum to 1 within {SUM_TOLERANCE}, got {inferences}: {advice}")
    return [float(value) for value in inferences]


def likelier(values: list[float], labels: list[str]) -> tuple[str, float]:
    """Return the likelier label and its probability."""
    index = 0 if values[0] >= values[1] else 1
    return labels[index], values[index]

"""FilterInferences: accepts an image whose confidence meets the threshold, and refuses any other.

In       s3_bucket    str             passed on
         s3_key       str             passed on
         inferences   [float, float]  probability of each label: each in 0..1, their sum 1 within 0.001
         threshold    float           optional: the threshold of this execution, in 0.5..1
Out      s3_bucket, s3_key and inferences, and
         label        str             the label with the higher probability, the first one where they are equal
         confidence   float           the probability of that label
         threshold    float           the threshold that the confidence meets
Errors   ThresholdConfidenceNotMet, MalformedInference, InvalidInput, InvalidConfiguration

Other fields of the event are dropped. ``settings`` has the environment variables.
"""

import json

import settings
from errors import InvalidInput, MalformedInference, ThresholdConfidenceNotMet, quoted

SUM_TOLERANCE = 1e-3
_ADVICE = "send the output of ClassifyImageData"


def handler(event: object, context: object) -> dict[str, object]:
    """Accept or refuse one image."""
    default_threshold, labels = settings.threshold(), settings.labels()
    bucket, key, inferences = parse_event(event)
    threshold = parse_threshold(event, default_threshold)
    probabilities = parse_probabilities(inferences, labels)
    label, confidence = most_likely(probabilities, labels)
    passed = confidence >= threshold
    line = {
        "state": "FilterInferences",
        "request_id": getattr(context, "aws_request_id", ""),
        "label": label,
        "confidence": confidence,
        "threshold": threshold,
        "passed": passed,
    }
    print(json.dumps(line))
    if not passed:
        rounded = round(confidence, 4)
        shown = rounded if rounded < threshold else confidence
        raise ThresholdConfidenceNotMet(
            f"{label} with confidence {shown} is below the threshold {threshold}: a person must label this image"
        )
    return {
        "s3_bucket": bucket,
        "s3_key": key,
        "inferences": probabilities,
        "label": label,
        "confidence": confidence,
        "threshold": threshold,
    }


def parse_event(event: object) -> tuple[str, str, object]:
    """Return bucket, key and the inferences, not yet validated. Raises InvalidInput."""
    if not isinstance(event, dict):
        raise InvalidInput(f"the event must be a JSON object, got {quoted(event)}: {_ADVICE}")
    if "inferences" not in event:
        raise InvalidInput(f"the field inferences is missing: {_advice(event)}")
    return _text(event, "s3_bucket"), _text(event, "s3_key"), event["inferences"]


def parse_threshold(event: object, default: float) -> float:
    """Return the event's own threshold, or the default. Raises InvalidInput."""
    if not isinstance(event, dict) or "threshold" not in event:
        return default
    value = event["threshold"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= 1:  # NaN is in no range
        raise InvalidInput(
            f"threshold must be a number in 0.5..1, got {quoted(value)}: omit it to use the configured threshold"
        )
    return float(value)


def parse_probabilities(inferences: object, labels: tuple[str, str]) -> list[float]:
    """Return the probability of each label. Raises MalformedInference."""
    advice = "check the endpoint's model"
    if isinstance(inferences, str) and inferences.lstrip().startswith(("[", "{")):
        raise MalformedInference(
            "inferences is a JSON text: send the list of two probabilities that json.loads makes of it"
        )
    if not isinstance(inferences, list) or len(inferences) != len(labels):
        actual = f"a list of {len(inferences)}" if isinstance(inferences, list) else quoted(inferences)
        raise MalformedInference(f"inferences must be a list of two probabilities, got {actual}: {advice}")
    for label, value in zip(labels, inferences, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:  # NaN is in no range
            raise MalformedInference(f"the probability of {label} must be in 0..1, got {quoted(value)}: {advice}")
    if abs(sum(inferences) - 1) > SUM_TOLERANCE:
        raise MalformedInference(f"inferences must sum to 1 within {SUM_TOLERANCE}, got {inferences}: {advice}")
    return [float(value) for value in inferences]


def most_likely(probabilities: list[float], labels: tuple[str, str]) -> tuple[str, float]:
    """Return the label with the higher probability, and that probability."""
    index = 0 if probabilities[0] >= probabilities[1] else 1
    return labels[index], probabilities[index]


def _text(event: dict[str, object], field: str) -> str:
    value = event.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{field} must be a non-empty text, got {quoted(value)}: {_advice(event)}")
    if not _is_unicode(value):
        raise InvalidInput(
            f"{field} must be valid Unicode, got {quoted(value)}, with half of a surrogate pair: send the whole pair"
        )
    return value


def _advice(event: dict[str, object]) -> str:
    """Return where the fields of an event are that another solution, or Lambda's whole response, has wrapped."""
    for wrapper in ("Payload", "body"):
        if isinstance(event.get(wrapper), dict):
            return f'the fields are under {wrapper}: set "InputPath": "$.{wrapper}" in the state machine'
        if isinstance(event.get(wrapper), str):
            return f"the fields are in {wrapper}, a JSON text: send them as an object, without {wrapper}"
    return _ADVICE


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be encoded as UTF-8; JSON may contain half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""Reads an endpoint's prediction."""

import json

from errors import MalformedInference, quoted

LABELS = 2
SUM_TOLERANCE = 1e-3
_ADVICE = "check the endpoint's model"


def parse_probably_neither(attributes: str) -> bool | None:
    """Return whether the model takes the image for neither, from its custom attributes, or None if it does not say."""
    return {"probably-neither=true": True, "probably-neither=false": False}.get(attributes)


def parse_probabilities(body: bytes) -> list[float]:
    """Return the probability of each label, from ``[0.9, 0.1]`` or the JSON line ``{"prediction": [0.9, 0.1]}``."""
    try:
        prediction = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedInference(f"the endpoint's response of {len(body)} bytes is not JSON: {_ADVICE}") from error
    if isinstance(prediction, dict):
        prediction = prediction.get("prediction")
    if not isinstance(prediction, list) or len(prediction) != LABELS:
        actual = f"a list of {len(prediction)}" if isinstance(prediction, list) else quoted(prediction)
        raise MalformedInference(f"the endpoint must return two probabilities, got {actual}: {_ADVICE}")
    for index, value in enumerate(prediction):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:  # NaN is in no range
            raise MalformedInference(f"probability {index} must be in 0..1, got {quoted(value)}: {_ADVICE}")
    if abs(sum(prediction) - 1) > SUM_TOLERANCE:
        raise MalformedInference(f"the probabilities must sum to 1 within {SUM_TOLERANCE}, got {prediction}: {_ADVICE}")
    return [float(value) for value in prediction]

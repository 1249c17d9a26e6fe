"""Two probabilities out of whatever an endpoint answers."""

import json

from errors import MalformedInference, quoted

LABELS = 2
SUM_TOLERANCE = 1e-3
_ADVICE = "check which model the endpoint serves"


def probabilities(body: bytes) -> list[float]:
    """Return the probability of each label from ``[0.9, 0.1]`` or from the JSON line ``{"prediction": [0.9, 0.1]}``."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedInference(f"the endpoint answered {len(body)} bytes that are not JSON: {_ADVICE}") from error
    if isinstance(answer, dict):
        answer = answer.get("prediction")
    if not isinstance(answer, list) or len(answer) != LABELS:
        got = f"a list of {len(answer)}" if isinstance(answer, list) else quoted(answer)
        raise MalformedInference(f"the endpoint must answer two probabilities, got {got}: {_ADVICE}")
    for index, value in enumerate(answer):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:  # NaN is in no range
            raise MalformedInference(f"probability {index} must be in 0..1, got {quoted(value)}: {_ADVICE}")
    if abs(sum(answer) - 1) > SUM_TOLERANCE:
        raise MalformedInference(f"the probabilities must sum to 1 within {SUM_TOLERANCE}, got {answer}: {_ADVICE}")
    return [float(value) for value in answer]

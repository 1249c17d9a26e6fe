"""The errors of this state, by the names that Step Functions matches: a class's own name, never a base class's.

FilterError
├── InvalidInput                the event is not an output of ClassifyImageData, or its threshold is out of range
├── InvalidConfiguration        THRESHOLD or LABELS is unusable
├── MalformedInference          the inferences are not two probabilities
└── ThresholdConfidenceNotMet   the confidence is below the threshold: a person decides
"""

_MAX_QUOTED = 120


class FilterError(Exception):
    """Base of this state's errors."""


class InvalidInput(FilterError):
    """The event lacks a field, or a field has the wrong type."""


class InvalidConfiguration(FilterError):
    """The function's environment is wrong; the execution can be started again once it is corrected."""


class MalformedInference(FilterError):
    """The inferences are not one probability for each label."""


class ThresholdConfidenceNotMet(FilterError):
    """The confidence in the most likely label is below the threshold."""


def quoted(value: object) -> str:
    """Return a value for a one-line message: short scalars as they are, any other value as its type."""
    if isinstance(value, str):
        return repr(value[:_MAX_QUOTED]) + ("..." if len(value) > _MAX_QUOTED else "")
    if value is None:
        return "nothing"
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64):
        return repr(value)
    return f"a value of type {type(value).__name__}"

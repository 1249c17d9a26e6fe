"""What can go wrong, under the names that Step Functions sees: it matches a class by its own name, never by its base.

FilterError
├── InvalidInput                the event is not what ClassifyImageData answers, or its threshold is out of range
├── InvalidConfiguration        THRESHOLD is not a usable number, or LABELS are not two names
├── MalformedInference          the inferences are not two probabilities
└── ThresholdConfidenceNotMet   the model is not sure enough: a person decides
"""

_SHOWN = 120


class FilterError(Exception):
    """Anything that this state refuses by name."""


class InvalidInput(FilterError):
    """The event lacks a field, or a field has the wrong type."""


class InvalidConfiguration(FilterError):
    """The function's environment is wrong; the image is not at fault and can be run again."""


class MalformedInference(FilterError):
    """The inferences are not one probability for each label."""


class ThresholdConfidenceNotMet(FilterError):
    """The confidence in the likelier label is below the threshold."""


def quoted(value: object) -> str:
    """Return ``value`` on one line for a message: short scalars as they are, anything else by its type."""
    if isinstance(value, str):
        return repr(value[:_SHOWN]) + ("..." if len(value) > _SHOWN else "")
    if value is None or isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64):
        return repr(value)
    return f"a value of type {type(value).__name__}"

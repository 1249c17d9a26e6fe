"""What can go wrong, under the names that Step Functions sees: it matches a class by its own name, never by its base.

ClassifyError
├── InvalidInput            the event is not what SerializeImageData answers
├── InvalidConfiguration    ENDPOINT_NAME is missing or no endpoint's name, or there is no region
├── EndpointNotFound        no such endpoint in this account and region
├── EndpointAccessDenied    this function may not invoke it
├── EndpointUnavailable     it is not ready, throttles or fails: worth a retry
├── EndpointTimeout         it did not answer in time: worth a retry
├── EndpointRejectedImage   it answered that it cannot read this image
└── MalformedInference      it answered something other than two probabilities
"""

_SHOWN = 120


class ClassifyError(Exception):
    """Anything that this state refuses by name."""


class InvalidInput(ClassifyError):
    """The event lacks a field, or a field cannot be what SerializeImageData answered."""


class InvalidConfiguration(ClassifyError):
    """The function's environment is wrong; the image is not at fault and can be run again."""


class EndpointNotFound(ClassifyError):
    """No endpoint has this name, in this account and region."""


class EndpointAccessDenied(ClassifyError):
    """The function's role may not invoke the endpoint."""


class EndpointUnavailable(ClassifyError):
    """The endpoint is not ready, throttles, fails, or cannot be reached."""


class EndpointTimeout(ClassifyError):
    """The endpoint took the image and did not answer in time."""


class EndpointRejectedImage(ClassifyError):
    """The model's container refused the image as the caller's mistake."""


class MalformedInference(ClassifyError):
    """The endpoint answered, but not with two probabilities."""


def quoted(value: object) -> str:
    """Return ``value`` on one line for a message: short scalars as they are, anything else by its type."""
    if isinstance(value, str):
        return repr(value[:_SHOWN]) + ("..." if len(value) > _SHOWN else "")
    if value is None or isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64):
        return repr(value)
    return f"a value of type {type(value).__name__}"

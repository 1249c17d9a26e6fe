"""The errors of this state, by the names that Step Functions matches: a class's own name, never a base class's.

ClassifyError
├── InvalidInput            the event is not an output of SerializeImageData
├── InvalidConfiguration    ENDPOINT_NAME is missing or invalid, or AWS_REGION is missing
├── EndpointNotFound        the endpoint does not exist in this account and region
├── EndpointAccessDenied    this function may not invoke it
├── EndpointUnavailable     it is not ready, throttles or fails: retried
├── EndpointTimeout         it did not respond in time: retried
├── EndpointRejectedImage   it cannot read this image
└── MalformedInference      its response is not two probabilities
"""

_MAX_QUOTED = 120


class ClassifyError(Exception):
    """Base of this state's errors."""


class InvalidInput(ClassifyError):
    """The event lacks a field, or a field is not an output of SerializeImageData."""


class InvalidConfiguration(ClassifyError):
    """The function's environment is wrong; the execution can be started again once it is corrected."""


class EndpointNotFound(ClassifyError):
    """No endpoint has this name, in this account and region."""


class EndpointAccessDenied(ClassifyError):
    """The function's role may not invoke the endpoint."""


class EndpointUnavailable(ClassifyError):
    """The endpoint is not ready, throttles, fails, or cannot be reached."""


class EndpointTimeout(ClassifyError):
    """The endpoint did not respond in time."""


class EndpointRejectedImage(ClassifyError):
    """The model's container rejected the image."""


class MalformedInference(ClassifyError):
    """The endpoint's response is not two probabilities."""


def quoted(value: object) -> str:
    """Return a value for a one-line message: short scalars as they are, any other value as its type."""
    if isinstance(value, str):
        return repr(value[:_MAX_QUOTED]) + ("..." if len(value) > _MAX_QUOTED else "")
    if value is None:
        return "nothing"
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64):
        return repr(value)
    return f"a value of type {type(value).__name__}"

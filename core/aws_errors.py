"""The error codes of AWS."""

from botocore.exceptions import ClientError, ParamValidationError

UNREADABLE = (ClientError, ParamValidationError)
"""The errors of a request that concern the object that it names, whose bucket may have a name that none can have."""

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_CODES = frozenset(
    {
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def error_code(error: ClientError) -> str:
    """Return the code of AWS's error, empty if the response has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_throttled(error: ClientError) -> bool:
    """Tell whether AWS has refused a request only because there were too many: the same request works later."""
    return error_code(error) in _CODES

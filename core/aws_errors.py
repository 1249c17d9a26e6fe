"""The error codes of AWS."""

from botocore.exceptions import ClientError

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

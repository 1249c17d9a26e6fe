"""AWS's rate limits."""

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


def is_throttled(error: ClientError) -> bool:
    """Tell whether AWS has refused a request only because there were too many: the same request works later."""
    return error.response.get("Error", {}).get("Code") in _CODES

"""What can go wrong in monitoring.

MonitoringError
├── CaptureIncomplete
├── CaptureOff
├── InvalidCaptureRecord
│   ├── MalformedRecord
│   ├── UnknownVersion
│   └── MissingOutput
├── BaselineNotFound
├── UnreadableBaseline
└── BaselineTooSmall
"""

from core.errors import SconesError


class MonitoringError(SconesError):
    """Base of this package's errors."""


class CaptureIncomplete(MonitoringError):
    """Fewer inferences were captured within the timeout than expected."""

    def __init__(self, captured: int, expected: int, seconds: float) -> None:
        super().__init__(
            f"{captured} of {expected} inferences were captured within {seconds:.0f} s: SageMaker writes them a minute "
            "or two late; try again, or check that the endpoint's data capture is on"
        )


class CaptureOff(MonitoringError):
    """The endpoint has no data capture."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"endpoint {endpoint} has no data capture: deploy it again with `scones endpoint deploy`, which turns it on"
        )


class InvalidCaptureRecord(MonitoringError):
    """A line of a capture file that is not a captured inference. Readers count such lines and continue."""


class MalformedRecord(InvalidCaptureRecord):
    """A line, or a response, without two probabilities."""


class UnknownVersion(InvalidCaptureRecord):
    """A record of an ``eventVersion`` that is not supported."""


class MissingOutput(InvalidCaptureRecord):
    """A record without the endpoint's response: only its input was captured."""


class BaselineNotFound(MonitoringError):
    """The baseline does not exist."""

    def __init__(self, location: str) -> None:
        super().__init__(f"{location} does not exist: create a baseline with `scones baseline`")


class UnreadableBaseline(MonitoringError):
    """The file is not a baseline of this format."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"{location} is not a baseline ({reason}): create it again with `scones baseline`")


class BaselineTooSmall(MonitoringError):
    """Too few predictions for a baseline."""

    def __init__(self, n: int, least: int) -> None:
        super().__init__(f"{n} predictions are too few for a baseline: at least {least} are needed")

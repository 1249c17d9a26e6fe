"""What can go wrong when looking at captured inferences.

MonitoringError
├── CaptureIncomplete
├── CaptureOff
├── BaselineMissing
├── BaselineUnreadable
└── BaselineTooSmall
"""

from core.errors import SconesError


class MonitoringError(SconesError):
    """Base of this package's errors."""


class CaptureIncomplete(MonitoringError):
    """Fewer inferences were captured in time than the endpoint answered."""

    def __init__(self, captured: int, expected: int, seconds: float) -> None:
        super().__init__(
            f"{captured} of {expected} inferences were captured within {seconds:.0f} s: SageMaker writes them a minute "
            "or two late; look again, or check that the endpoint's data capture is on"
        )
        self.captured = captured
        self.expected = expected


class CaptureOff(MonitoringError):
    """The endpoint writes nothing down."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"endpoint {endpoint} has no data capture: deploy it with capture on (`scones endpoint deploy` does)"
        )


class BaselineMissing(MonitoringError):
    """There is no baseline where one was looked for."""

    def __init__(self, where: str) -> None:
        super().__init__(f"there is no {where}: make a baseline with `scones baseline`")


class BaselineUnreadable(MonitoringError):
    """The file is no baseline of this version."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} is no baseline ({why}): make it again with `scones baseline`")


class BaselineTooSmall(MonitoringError):
    """Too few answers to compare anything with."""

    def __init__(self, n: int, least: int) -> None:
        super().__init__(f"{n} answers are too few for a baseline: it takes at least {least}")

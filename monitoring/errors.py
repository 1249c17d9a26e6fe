"""What can go wrong when looking at captured inferences.

MonitoringError
└── CaptureIncomplete
"""


class MonitoringError(Exception):
    """Base of this wing's errors."""


class CaptureIncomplete(MonitoringError):
    """Fewer inferences were captured in time than the endpoint answered."""

    def __init__(self, captured: int, expected: int, seconds: float) -> None:
        super().__init__(
            f"{captured} of {expected} inferences were captured within {seconds:.0f} s: SageMaker writes them a minute "
            "or two late; look again, or check that the endpoint's data capture is on"
        )
        self.captured = captured
        self.expected = expected

"""What can go wrong between LocalStack and a function's container.

ContainerError
├── UnknownFunction         no container is named for the function's image
├── FunctionNotSupported    the zip function needs what is not emulated
├── ContainerUnreachable    the container refused, broke off or did not respond in time
└── ContainerBusy           the container was still serving others when the wait ended
"""


class ContainerError(Exception):
    """Base of all errors of this package."""


class UnknownFunction(ContainerError):
    """No container is named for the function's image."""


class FunctionNotSupported(ContainerError):
    """The zip function needs what is not emulated; the message says what instead."""


class ContainerUnreachable(ContainerError):
    """The container refused the connection, broke it off or did not respond in time."""


class ContainerBusy(ContainerError):
    """The container was still serving other invocations when the wait ended."""

"""Errors that the emulator returns, and errors that stop it from starting.

EmulatorError (SconesError)
├── StartupError                  one line on stderr, exit status 1
├── InvalidFault                  400  the admin route for faults
├── AwsError                      a response: error code, HTTP status, message
│   ├── ValidationException       400  control plane: a bad or unknown name, a constraint of the service model
│   ├── ResourceInUse             400  training jobs: the name is taken
│   ├── ResourceLimitExceeded     400
│   ├── ObjectNotFound            400  auto scaling: no such target or policy
│   ├── Conflict                  409  schedules: the name is taken
│   ├── ResourceNotFound          404  schedules: none of that name
│   ├── SerializationException    400  the body is not JSON of the operation's shape
│   ├── UnknownOperation          400
│   ├── Throttled                 400
│   ├── AccessDenied              403
│   ├── ValidationError           400  runtime: no such endpoint or variant, a header out of bounds
│   ├── BodyTooLarge              413
│   ├── ModelError                424  the container returned 4xx or 5xx, or timed out
│   ├── ModelNotReady             429
│   ├── InternalFailure           500
│   ├── InternalServer            500  schedules
│   ├── ServiceUnavailable        503
│   └── InternalDependency        530
├── LaunchFailed                  becomes an endpoint's FailureReason
│   └── UnhealthyContainer        the model server did not start, or there is none for the model
├── TrainingFailed                becomes a training job's FailureReason
├── RequirementsNotInstalled      a program's requirements.txt; becomes part of a FailureReason
└── ContainerError                the container did not respond
    ├── ContainerDown
    ├── ContainerTimeout
    └── InvalidContainerResponse  the response is not HTTP, or too large
"""

from typing import Any, ClassVar

from core.errors import SconesError


class EmulatorError(SconesError):
    """Base of this package's errors."""


class StartupError(EmulatorError):
    """The emulator cannot start; the message names the cause and the remedy."""


class InvalidFault(EmulatorError):
    """The fault cannot be injected."""


class AwsError(EmulatorError):
    """An error in AWS's format."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init_subclass__(cls, code: str, status: int = 400) -> None:
        cls.code, cls.status = code, status

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def fields(self) -> dict[str, Any]:
        """Return the members of the response body besides the message."""
        return {}


class ValidationException(AwsError, code="ValidationException"):
    """A control-plane input that violates a constraint or names a missing resource."""


class ResourceInUse(AwsError, code="ResourceInUse"):
    """The name is in use."""


class ResourceLimitExceeded(AwsError, code="ResourceLimitExceeded"):
    """More of something than this account may have."""


class ObjectNotFound(AwsError, code="ObjectNotFoundException"):
    """The scalable target or scaling policy does not exist."""


class Conflict(AwsError, code="ConflictException", status=409):
    """The schedule already exists."""


class ResourceNotFound(AwsError, code="ResourceNotFoundException", status=404):
    """The schedule does not exist."""


class SerializationException(AwsError, code="SerializationException"):
    """The body is not JSON, or a member has the wrong type."""


class UnknownOperation(AwsError, code="UnknownOperationException"):
    """An operation that AWS does not have, or that is not emulated."""


class Throttled(AwsError, code="ThrottlingException"):
    """Request rate exceeded; clients raise a plain ClientError."""


class AccessDenied(AwsError, code="AccessDeniedException", status=403):
    """The caller lacks permission; clients raise a plain ClientError."""


class ValidationError(AwsError, code="ValidationError"):
    """A runtime request for an endpoint that is not in service, or that violates a constraint."""


class BodyTooLarge(AwsError, code="", status=413):
    """A body over the service's limit; AWS names no code here, so clients report the status."""


class ModelError(AwsError, code="ModelError", status=424):
    """The model container returned an error, or nothing."""

    def __init__(self, message: str, original_status: int, original_message: str, log_stream_arn: str) -> None:
        super().__init__(message)
        self.original_status = original_status
        self.original_message = original_message
        self.log_stream_arn = log_stream_arn

    def fields(self) -> dict[str, Any]:
        """Return the container's own status and message."""
        return {
            "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if 400 <= self.original_status < 500 else "SERVER_ERROR_FROM_MODEL",
            "LogStreamArn": self.log_stream_arn,
            "OriginalMessage": self.original_message,
            "OriginalStatusCode": self.original_status,
        }


class ModelNotReady(AwsError, code="ModelNotReadyException", status=429):
    """The variant's container is still loading its model."""


class InternalFailure(AwsError, code="InternalFailure", status=500):
    """A defect of the emulator."""


class InternalServer(AwsError, code="InternalServerException", status=500):
    """A defect of the emulator, as EventBridge Scheduler calls it."""


class ServiceUnavailable(AwsError, code="ServiceUnavailable", status=503):
    """No instance is available."""


class InternalDependency(AwsError, code="InternalDependencyException", status=530):
    """A dependency of SageMaker failed."""


class LaunchFailed(EmulatorError):
    """A model could not be deployed; the message is the endpoint's FailureReason."""


class UnhealthyContainer(LaunchFailed):
    """A variant's container did not pass the health check."""

    def __init__(self, variant: str, detail: str) -> None:
        super().__init__(
            f"The primary container for production variant {variant} did not pass the ping health check. "
            f"Please check CloudWatch logs for this endpoint. (Here: {detail})"
        )


class TrainingFailed(EmulatorError):
    """A training job failed; the message is its FailureReason, which begins with AWS's class of error."""


class RequirementsNotInstalled(EmulatorError):
    """The packages of a requirements.txt could not be installed; the message is the installer's reason."""


class ContainerError(EmulatorError):
    """The container did not respond."""


class ContainerDown(ContainerError):
    """The connection was refused, or closed before the response was complete."""


class ContainerTimeout(ContainerError):
    """No response within AWS's time limit."""


class InvalidContainerResponse(ContainerError):
    """The response is not HTTP, or exceeds the size limit."""

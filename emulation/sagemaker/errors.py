"""What the emulator answers with, and what stops it from starting.

EmulatorError
├── StartupError                  one line on stderr, exit status 1
├── InvalidFault                  400  the admin route for faults
├── AwsError                      an answer: error code, HTTP status, message
│   ├── ValidationException       400  control plane: a bad or unknown name, a constraint of the service model
│   ├── ResourceInUse             400  training jobs: the name is taken
│   ├── ResourceLimitExceeded     400
│   ├── ObjectNotFound            400  auto scaling: no such target or policy
│   ├── Conflict                  409  schedules: the name is taken
│   ├── ResourceNotFound          404  schedules: none of that name
│   ├── SerializationException    400  the body is no JSON of the operation's shape
│   ├── UnknownOperation          400
│   ├── Throttled                 400
│   ├── AccessDenied              403
│   ├── ValidationError           400  runtime: no such endpoint or variant, a header out of bounds
│   ├── BodyTooLarge              413
│   ├── ModelError                424  the container answered 4xx or 5xx, or not in time
│   ├── ModelNotReady             429
│   ├── InternalFailure           500
│   ├── InternalServer            500  schedules
│   ├── ServiceUnavailable        503
│   └── InternalDependency        530
├── LaunchFailed                  becomes an endpoint's FailureReason
├── JobFailed                     becomes a training job's FailureReason
└── ContainerError                the container gave no answer
    ├── ContainerDown
    ├── ContainerTimeout
    └── InvalidContainerResponse           what came back is no HTTP, or too much of it
"""

from typing import Any, ClassVar


class EmulatorError(Exception):
    """Anything this package raises on purpose."""


class StartupError(EmulatorError):
    """The emulator cannot start; the message says what is in the way and what to do."""


class InvalidFault(EmulatorError):
    """A fault that cannot be injected as it was asked for."""


class AwsError(EmulatorError):
    """An error as AWS answers it."""

    code: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def fields(self) -> dict[str, Any]:
        """Return what the answer's body holds beside the message."""
        return {}


class ValidationException(AwsError):
    """A control-plane input that breaks a constraint or names something that is not there."""

    code = "ValidationException"


class ResourceInUse(AwsError):
    """A name that is taken."""

    code = "ResourceInUse"


class ResourceLimitExceeded(AwsError):
    """More of something than this account may have."""

    code = "ResourceLimitExceeded"


class ObjectNotFound(AwsError):
    """A scalable target or a scaling policy that is not there."""

    code = "ObjectNotFoundException"


class Conflict(AwsError):
    """A schedule's name that is taken."""

    code = "ConflictException"
    status = 409


class ResourceNotFound(AwsError):
    """A schedule that is not there."""

    code = "ResourceNotFoundException"
    status = 404


class SerializationException(AwsError):
    """A body that is no JSON, or JSON of the wrong types."""

    code = "SerializationException"


class UnknownOperation(AwsError):
    """An operation that AWS does not have, or that is not emulated."""

    code = "UnknownOperationException"


class Throttled(AwsError):
    """More calls than the account may make; clients see it as a plain ClientError."""

    code = "ThrottlingException"


class AccessDenied(AwsError):
    """The caller may not do this; clients see it as a plain ClientError."""

    code = "AccessDeniedException"
    status = 403


class ValidationError(AwsError):
    """A runtime request that names no endpoint in service, or breaks a constraint."""

    code = "ValidationError"


class BodyTooLarge(AwsError):
    """A body over the service's limit; AWS names no code here, so clients report the status."""

    code = ""
    status = 413


class ModelError(AwsError):
    """The model's container answered with an error, or not at all."""

    code = "ModelError"
    status = 424

    def __init__(self, message: str, original_status: int, original_message: str, log_stream_arn: str) -> None:
        super().__init__(message)
        self.original_status = original_status
        self.original_message = original_message
        self.log_stream_arn = log_stream_arn

    def fields(self) -> dict[str, Any]:
        """Return the container's own status and words, as AWS passes them on."""
        return {
            "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if 400 <= self.original_status < 500 else "SERVER_ERROR_FROM_MODEL",
            "LogStreamArn": self.log_stream_arn,
            "OriginalMessage": self.original_message,
            "OriginalStatusCode": self.original_status,
        }


class ModelNotReady(AwsError):
    """The variant's container is still loading its model."""

    code = "ModelNotReadyException"
    status = 429


class InternalFailure(AwsError):
    """A defect of the emulator."""

    code = "InternalFailure"
    status = 500


class InternalServer(AwsError):
    """A defect of the emulator, as EventBridge Scheduler calls it."""

    code = "InternalServerException"
    status = 500


class ServiceUnavailable(AwsError):
    """No instance is there to answer."""

    code = "ServiceUnavailable"
    status = 503


class InternalDependency(AwsError):
    """Something that SageMaker itself relies on failed."""

    code = "InternalDependencyException"
    status = 530


class LaunchFailed(EmulatorError):
    """A model could not be brought into service; the message is the endpoint's FailureReason."""


class JobFailed(EmulatorError):
    """A training job cannot go on; the message is its FailureReason, which begins with AWS's class of error."""


class ContainerError(EmulatorError):
    """The container gave no answer."""


class ContainerDown(ContainerError):
    """Nobody listens, or the connection broke before the answer was whole."""


class ContainerTimeout(ContainerError):
    """No answer within the time AWS allows."""


class InvalidContainerResponse(ContainerError):
    """What came back is no HTTP, or more than an answer may hold."""
